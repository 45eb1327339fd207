import Foundation
import Postgres
import TestSupport
import Testing

/// Each statistic: its words on the command line, and the call in SQL that is the same.
private let statistics: [(words: [String], call: String)] = [
    (["ohlcv", "M", "--by", "1h"], "ohlcv('M', by => '1h')"),
    (
        ["vwap", "M", "--by", "1d", "--tz", "Europe/Berlin", "--all"],
        "vwap('M', '-infinity', by => '1d', tz => 'Europe/Berlin')"
    ),
    (
        ["twap", "M", "--from", "2025-03-01", "--to", "2025-03-02T12:00:00.5Z"],
        "twap('M', '2025-03-01Z', '2025-03-02 12:00:00.5Z')"
    ),
    (["volume-profile", "M", "--bins", "7"], "volume_profile('M', bins => 7)"),
    (["flow"], "flow('M')"),
    (["sizes", "M", "--all"], "sizes('M', '-infinity')"),
    (["top", "M", "--users", "3"], "top('M', n => 3)"),
    (
        ["volatility", "M", "--interval", "1m", "--by", "1d", "--annualise"],
        "volatility('M', \"interval\" => '1m', by => '1d', annualise => true)"
    ),
    (["spread", "M", "--horizon", "1m"], "spread('M', horizon => '1 minute')"),
    (["slippage", "M"], "slippage('M')"),
    (
        ["markout", "M", "--at", "500ms,1h", "--against", "last"],
        "markout('M', horizons => '{500 milliseconds, 1 hour}', against => 'last')"
    ),
    (["markout", "M", "--by", "1h"], "markout('M', by => '1h')"),
]

@Suite struct StatsTests {
    /// A database with a random history in its market M.
    private func database(seed: UInt64 = .random(in: 0 ... .max)) throws -> TestDatabase {
        print("seed \(seed)")
        let database = try TestDatabase()
        try database.addMarket("M")
        try RandomTrades(seed: seed, count: 200).insert(into: database.connection(), market: "M")
        return database
    }

    /// What a call gives in SQL: names and rows; times as the program writes them.
    private func result(_ call: String, _ database: TestDatabase) throws -> [[String?]] {
        let connection = try database.connection()
        try connection.execute("SELECT set_config('TimeZone', 'UTC', false)")
        var rows: [[String?]] = []
        try connection.streamText(
            "SELECT * FROM pgbook.\(call)", columns: { rows.append($0.map(\.name)) }, forEach: { rows.append($0) })
        return rows.map { row in
            row.map { value in
                switch value {
                case "t": return "true"
                case "f": return "false"
                case let value? where value.hasSuffix("+00"):
                    return value.dropLast(3).replacing(" ", with: "T") + "Z"
                default: return value
                }
            }
        }
    }

    @Test func `each statistic is the same in SQL, as csv, as json and as a table`() throws {
        let database = try database()
        let url = try database.url(as: .reader)
        defer { withExtendedLifetime(database) {} }
        for (words, call) in statistics {
            let expected = try result(call, database)
            #expect(expected.count > 1, "\(call)")
            let csv = try Program.run(["stats"] + words + ["--format", "csv"], database: url)
            #expect(csv.status == 0, "\(words): \(csv.errors)")
            #expect(
                csv.output == expected.map { $0.map { $0 ?? "" }.joined(separator: ",") + "\n" }.joined(), "\(words)")
            let table = try Program.run(["stats"] + words, database: url)
            #expect(
                table.lines.map { $0.split(separator: " ").map { String($0) } }
                    == expected.map { $0.compactMap(\.self) }, "\(words)")
            let json = try Program.run(["stats"] + words + ["--format", "json"], database: url)
            // Digits are compared, so that no reader's rounding comes between.
            let objects = json.output.split(separator: "\n").filter { $0.hasPrefix("{") }
            #expect(objects.count == expected.count - 1, "\(words)")
            for (object, row) in zip(objects, expected.dropFirst()) {
                for (name, value) in zip(expected[0], row) {
                    let plain = "\"\(name!)\":\(value ?? "null")"
                    let quoted = "\"\(name!)\":\"\(value ?? "")\""
                    #expect(object.contains(plain) || object.contains(quoted), "\(words): \(plain) in \(object)")
                }
            }
            _ = try json.json(as: [[String: Any]].self)
        }
    }

    @Test(arguments: [
        (["vwap", "NO-SUCH"], 1, "unknown_market"),
        (["vwap", "M", "--by", "7m"], 1, "interval '7m' is unknown"),
        (["vwap", "M", "--by", "1h", "--tz", "Europe/Berlin"], 1, "time zone"),
        (["vwap", "M", "--by", "1d", "--tz", "Europe/Nowhere"], 1, "Europe/Nowhere"),
        (["twap", "M", "--from", "2025-03-02", "--to", "2025-03-02"], 1, "is not before to"),
        (["twap", "M", "--from", "yesterday"], 1, "--from 'yesterday' is not a time"),
        (["volume-profile", "M", "--bins", "0"], 2, "--bins 0 is not within 1 to 1000"),
        (["top", "M", "--users", "0"], 2, "--users 0 is not within 1 to 10000"),
        (["markout", "M", "--at", "1s,"], 1, "--at '' is not a span"),
        (["markout", "M", "--against", "best"], 2, "--against 'best' is unknown"),
        (["spread", "M", "--horizon", "2d"], 1, "is outside 1 microsecond to 1 day"),
        (["top", "M", "--from", "2025-03-02", "--all"], 2, "exclude each other"),
        (["flow", "M", "--tz", "Europe/Berlin"], 2, "--tz goes with --by"),
        (["flow", "M", "--format", "xml"], 2, "xml"),
    ])
    func `what makes no sense is refused on one line`(words: [String], status: Int32, expected: String) throws {
        let database = try database(seed: 1)
        let result = try Program.run(["stats"] + words, database: database.url(as: .reader))
        withExtendedLifetime(database) {}
        #expect(result.status == status)
        #expect(result.output == "")
        #expect(result.errors.contains(expected), "\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }

    @Test func `an empty range is said to be empty`() throws {
        let database = try database(seed: 2)
        let url = try database.url(as: .reader)
        defer { withExtendedLifetime(database) {} }
        let words = ["stats", "vwap", "--from", "2001-01-01", "--to", "2001-01-02", "--format"]
        #expect(try Program.run(words + ["table"], database: url).output == "nothing in this range\n")
        #expect(try Program.run(words + ["csv"], database: url).output == "time,vwap,volume,quote_volume,trades\n")
        #expect(try Program.run(words + ["json"], database: url).output == "[]\n")
    }
}
