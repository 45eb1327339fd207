import Postgres
import TestRandom
import Testing

/// Every type goes to the server and comes back the same, as a parameter, an array element and a COPY field.
@Suite struct RoundTripTests {
    let connection: Connection

    init() throws { connection = try TestServer.connect() }

    private typealias Value = PostgresEncodable & PostgresDecodable & PostgresArrayElement & Equatable

    private func check<T: Value>(
        _ values: [T], as type: String, _ seed: UInt64 = 0, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for value in values {
            let row = try connection.execute("SELECT $1::\(type)", value).one()
            #expect(try row.decode(T.self, at: 0) == value, "seed \(seed)", sourceLocation: sourceLocation)
        }
        let array = try connection.execute("SELECT $1::\(type)[]", values).one()
        #expect(try array.decode([T].self, at: 0) == values, "seed \(seed)", sourceLocation: sourceLocation)
        let holed = values.flatMap { [$0, nil] as [T?] }
        let optional = try connection.execute("SELECT $1::\(type)[]", holed).one()
        #expect(try optional.decode([T?].self, at: 0) == holed, "seed \(seed)", sourceLocation: sourceLocation)
        let empty = try connection.execute("SELECT $1::\(type)[], $2::\(type)", [T](), T?.none).one()
        #expect(try empty.decode([T].self, at: 0).isEmpty, sourceLocation: sourceLocation)
        #expect(try empty.decode(T?.self, at: 1) == nil, sourceLocation: sourceLocation)
        try checkCopy(values, as: type, sourceLocation)
    }

    private func checkCopy<T: Value>(_ values: [T], as type: String, _ sourceLocation: SourceLocation) throws {
        try connection.executeSimple("CREATE TEMP TABLE copied (place bigint, value \(type))")
        defer { try? connection.executeSimple("DROP TABLE copied") }
        let count = try connection.copyIn("COPY copied FROM STDIN (FORMAT binary)") { rows in
            for (place, value) in values.enumerated() { try rows.write(Int64(place), value) }
        }
        #expect(count == values.count, sourceLocation: sourceLocation)
        let rows = try connection.execute("SELECT value FROM copied ORDER BY place")
        #expect(try rows.map { try $0.decode(T.self, at: 0) } == values, sourceLocation: sourceLocation)
    }

    @Test func `integers and booleans`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        try check([true, false], as: "boolean")
        try check(
            [.min, -1, 0, 1, .max] + (0..<20).map { _ in Int16.random(in: .min ... .max, using: &generator) },
            as: "smallint", seed)
        try check(
            [.min, -1, 0, 1, .max] + (0..<20).map { _ in Int32.random(in: .min ... .max, using: &generator) },
            as: "integer", seed)
        try check(
            [.min, -1, 0, 1, .max] + (0..<20).map { _ in Int64.random(in: .min ... .max, using: &generator) },
            as: "bigint", seed)
        try check([Int.min, -1, 0, 1, .max], as: "bigint")
    }

    @Test func `texts, with quotes, backslashes and every plane of Unicode`() throws {
        try check(
            ["", "a", "'\"\\{},NULL", "Grüße 漢字 👩‍👩‍👧", "\u{1}\u{10FFFF}\r\n\t", String(repeating: "é", count: 100_000)],
            as: "text")
    }

    @Test func `bytes`() throws {
        try check([[], [0], Array(0...255), Array(repeating: 0, count: 70_000)] as [[UInt8]], as: "bytea")
    }

    @Test func `uuids`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let extremes = [
            PostgresUUID(high: 0, low: 0), PostgresUUID(high: .max, low: .max), PostgresUUID(high: 1, low: 1 << 63),
        ]
        try check(
            extremes + (0..<20).map { _ in PostgresUUID(high: generator.next(), low: generator.next()) }, as: "uuid",
            seed)
    }

    @Test func `timestamps up to both ends and both infinities`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        // From 4713 BC, where the server's time begins, to the year 294247, where microseconds since 1970 end.
        let range: ClosedRange<Int64> = -210_866_803_200_000_000...(.max - 1)
        let edges = [range.lowerBound, -1, 0, 1, range.upperBound].map {
            PostgresTimestamp(microsecondsSinceUnixEpoch: $0)
        }
        let random = (0..<20).map { _ in
            PostgresTimestamp(microsecondsSinceUnixEpoch: .random(in: range, using: &generator))
        }
        try check(edges + random + [.infinity, .negativeInfinity], as: "timestamptz", seed)
    }

    @Test func `decimals of up to 38 digits keep every digit and their scale`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let largest = Int128("99999999999999999999999999999999999999")!
        var values = [largest, -largest, .max, .min, 0, 1, -1, 10_000, 9_999].flatMap { unscaled in
            [0, 1, 3, 4, 5, 8, 37, 38].map { PostgresNumeric(unscaled: unscaled, scale: $0) }
        }
        for _ in 0..<300 {
            let shift = Int.random(in: 0..<127, using: &generator)
            let unscaled = Int128(truncatingIfNeeded: UInt128.random(in: 0 ... .max, using: &generator)) >> shift
            values.append(PostgresNumeric(unscaled: unscaled, scale: Int.random(in: 0...38, using: &generator)))
        }
        try check(values, as: "numeric", seed)
    }
}
