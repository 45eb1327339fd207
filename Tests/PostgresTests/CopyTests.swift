import Postgres
import Testing

@Suite struct CopyTests {
    let connection: Connection

    init() throws {
        connection = try TestServer.connect()
        try connection.executeSimple("CREATE TEMP TABLE ticks (id bigint CHECK (id >= 0), price numeric, note text)")
    }

    private func rowCount() throws -> Int64 {
        try connection.execute("SELECT count(*) FROM ticks")[0].decode(Int64.self, at: 0)
    }

    @Test func `binary rows arrive, more than a buffer of them`() throws {
        let count = try connection.copyIn("COPY ticks FROM STDIN (FORMAT binary)") { rows in
            for id in 0..<Int64(50_000) {
                try rows.beginRow()
                try rows.append(id)
                try rows.append(PostgresNumeric(unscaled: Int128(id), scale: 2))
                try rows.append(id % 2 == 0 ? nil : "odd")
            }
        }
        #expect(count == 50_000)
        let row = try connection.execute("SELECT count(*), sum(price), count(note) FROM ticks").one()
        #expect(try row.decode(Int64.self, at: 0) == 50_000)
        #expect(try row.decode(PostgresNumeric.self, at: 1).description == "12499750.00")
        #expect(try row.decode(Int64.self, at: 2) == 25_000)
    }

    @Test func `text goes in and out unchanged`() throws {
        let text = (0..<20_000).map { "\($0)\t1.50\tnote \($0)\n" }.joined()
        var pieces = [Array(text.utf8.prefix(100_001)), Array(text.utf8.dropFirst(100_001))][...]
        let stored = try connection.copyIn("COPY ticks FROM STDIN", bytes: { pieces.popFirst() })
        #expect(stored == 20_000)
        var out: [UInt8] = []
        var piecesOut = 0
        let copied = try connection.copyOut("COPY (SELECT * FROM ticks ORDER BY id) TO STDOUT") { piece in
            #expect(piece.last == UInt8(ascii: "\n"))
            out += piece
            piecesOut += 1
        }
        #expect(copied == 20_000)
        #expect(piecesOut > 1)
        #expect(String(decoding: out, as: UTF8.self) == text)
    }

    @Test func `a body that throws stores nothing`() throws {
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try connection.copyIn("COPY ticks FROM STDIN (FORMAT binary)") { rows in
                try rows.write(Int64(1), PostgresNumeric?.none, "a")
                throw Stop()
            }
        }
        #expect(try rowCount() == 0)
    }

    @Test func `the server's refusal is thrown`() throws {
        let early = #expect(throws: PostgresError.self) {
            try connection.copyIn("COPY ticks FROM STDIN (FORMAT binary)") { rows in
                for id in 0..<Int64(1_000_000) { try rows.write(id - 10, PostgresNumeric?.none, "a") }
            }
        }
        #expect(early?.sqlState == .checkViolation)
        let late = #expect(throws: PostgresError.self) {
            try connection.copyIn("COPY ticks FROM STDIN", bytes: { nil as [UInt8]? })
            var piece: [UInt8]? = Array("-1\t1\ta\n".utf8)
            try connection.copyIn(
                "COPY ticks FROM STDIN",
                bytes: {
                    defer { piece = nil }
                    return piece
                })
        }
        #expect(late?.sqlState == .checkViolation)
        #expect(try rowCount() == 0)
    }

    @Test func `a row of the wrong width is wrong use`() throws {
        let short = #expect(throws: PostgresError.self) {
            try connection.copyIn("COPY ticks FROM STDIN (FORMAT binary)") { rows in try rows.write(Int64(1)) }
        }
        #expect(short?.message == "row 1 has 1 of 3 columns")
        let long = #expect(throws: PostgresError.self) {
            try connection.copyIn("COPY ticks (id) FROM STDIN (FORMAT binary)") { rows in
                try rows.write(Int64(1), Int64(2))
            }
        }
        #expect(long?.message == "row 1 has more than 1 columns")
        #expect(try rowCount() == 0)
    }

    @Test func `copying out is broken off by an error of the receiver`() throws {
        struct Full: Error {}
        #expect(throws: Full.self) {
            try connection.copyOut("COPY (SELECT generate_series(1, 10000000)) TO STDOUT") { _ in throw Full() }
        }
        #expect(try connection.execute("SELECT 1").count == 1)
    }

    @Test func `COPY through execute, and execute through COPY, are wrong use`() throws {
        for sql in ["COPY ticks FROM STDIN", "COPY ticks TO STDOUT"] {
            let error = #expect(throws: PostgresError.self) { try connection.executeSimple(sql) }
            #expect(error?.kind == .usage)
        }
        let error = #expect(throws: PostgresError.self) { try connection.copyOut("SELECT 1") { _ in } }
        #expect(error?.kind == .usage)
        #expect(throws: PostgresError.self) { try connection.copyIn("COPY ticks FROM STDIN") { _ in } }
        #expect(throws: PostgresError.self) { try connection.copyOut("COPY no_such_table TO STDOUT") { _ in } }
        #expect(try connection.execute("SELECT 1").count == 1)
    }
}
