import Postgres
import Testing

/// The text forms, against the server's own.
@Suite struct ValueTests {
    let connection: Connection

    init() throws { connection = try TestServer.connect() }

    @Test(arguments: [
        "0", "-0.5", "12.50", "170141183460469231731687303715884105727", "-170141183460469231731687303715884105728",
        "0.00000001",
    ])
    func `a decimal's text is the server's`(text: String) throws {
        let number = try #require(PostgresNumeric(text))
        #expect(number.description == text)
        let row = try connection.execute("SELECT $1::numeric::text, $2::text::numeric", number, text).one()
        #expect(try row.decode(String.self, at: 0) == text)
        #expect(try row.decode(PostgresNumeric.self, at: 1) == number)
    }

    @Test(arguments: [
        "", "-", ".", "+1", "1e3", " 1", "1 ", "NaN", "1..2", "0x1", "١", "170141183460469231731687303715884105728",
        "0.000000000000000000000000000000000000001",
    ])
    func `what is not an exact decimal of 38 digits is refused`(text: String) {
        #expect(PostgresNumeric(text) == nil)
    }

    @Test(arguments: ["NaN", "Infinity", "-Infinity", "1e39", "1e-39", "340282366920938463463374607431768211456"])
    func `a numeric that does not fit says so`(text: String) throws {
        let row = try connection.execute("SELECT $1::text::numeric", text).one()
        let error = #expect(throws: PostgresError.self) { try row.decode(PostgresNumeric.self, at: 0) }
        #expect(error?.kind == .decode)
    }

    @Test func `a uuid's text is the server's`() throws {
        let uuid = PostgresUUID(high: 0x0192_F0C1_23AB_7DEF, low: 0x8123_4567_89AB_CDEF)
        #expect(uuid.description == "0192f0c1-23ab-7def-8123-456789abcdef")
        #expect(PostgresUUID("0192F0C1-23AB-7DEF-8123-456789ABCDEF") == uuid)
        #expect(try connection.execute("SELECT $1::uuid::text", uuid)[0].decode(String.self, at: 0) == uuid.description)
        for bad in [
            "", "0192f0c123ab7def8123456789abcdef", "0192f0c1-23ab-7def-8123-456789abcdeg",
            "{192f0c1-23ab-7def-8123-456789abcdef",
        ] {
            #expect(PostgresUUID(bad) == nil)
        }
    }

    @Test(arguments: [
        0, -1, 1_430_438_400_123_456, -62_135_596_800_000_000, 951_782_400_000_000, 4_107_542_399_999_999,
    ])
    func `a timestamp's text is the server's`(microseconds: Int64) throws {
        let time = PostgresTimestamp(microsecondsSinceUnixEpoch: microseconds)
        let format = #"YYYY-MM-DD"T"HH24:MI:SS.US"Z""#
        let row = try connection.execute("SELECT to_char($1 AT TIME ZONE 'UTC', $2)", time, format).one()
        #expect(try row.decode(String.self, at: 0) == time.description)
    }

    @Test func `text serves for enums, json and intervals too`() throws {
        try connection.executeSimple("CREATE TYPE pg_temp.side AS ENUM ('bid', 'ask')")
        let row = try connection.execute(
            "SELECT $1::pg_temp.side, $2::jsonb, $3::json, $4::interval::text, 'x'::name", "bid", "{\"a\": 1}", "[1]",
            "1 day"
        ).one()
        #expect(try (0..<5).map { try row.decode(String.self, at: $0) } == ["bid", "{\"a\": 1}", "[1]", "1 day", "x"])
    }

    @Test func `a wrong type names the column, its type and the type asked for`() throws {
        let rows = try connection.execute("-- name: two_columns\nSELECT 1::bigint AS price, NULL::text AS note")
        let error = #expect(throws: PostgresError.self) { try rows[0].decode(String.self, named: "price") }
        #expect(error?.description == "bigint cannot be read as String (column price; query two_columns)")
        let null = #expect(throws: PostgresError.self) { try rows[0].decode(String.self, at: 1) }
        #expect(null?.description == "NULL where String was expected (column note; query two_columns)")
        #expect(throws: PostgresError.self) { try rows[0].decode(Int32.self, at: 0) }
        #expect(throws: PostgresError.self) { try rows[0].decode(Int64.self, at: 2) }
        let unknown = #expect(throws: PostgresError.self) { try rows[0].decode(Int64.self, named: "prise") }
        #expect(unknown?.message == "no column 'prise'; there are: price, note")
    }

    @Test func `an array of two dimensions is refused`() throws {
        let rows = try connection.execute("SELECT ARRAY[[1::bigint, 2], [3, 4]]")
        #expect(throws: PostgresError.self) { try rows[0].decode([Int64].self, at: 0) }
    }

    @Test(arguments: ["", "a", "it's", #"\'; DROP TABLE x; --"#, #"a"b\\c"#, "é漢"])
    func `a quoted name or text means itself`(text: String) throws {
        let name = text + "."
        try connection.executeSimple("SET standard_conforming_strings = off")
        let rows = try connection.execute("SELECT \(quotedLiteral(text)) AS \(quotedIdentifier(name))")
        #expect(try rows[0].decode(String.self, at: 0) == text)
        #expect(rows.columnNames == [name])
    }

    @Test func `a NUL in a text is refused before it is sent`() throws {
        let error = #expect(throws: PostgresError.self) { try connection.execute("SELECT $1", "a\0b") }
        #expect(error?.sqlState == .characterNotInRepertoire)
        #expect(try connection.execute("SELECT 1").count == 1)
    }
}
