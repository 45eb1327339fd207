import Foundation
import Postgres
import TestSupport
import Testing

/// `pgbook candles`, `bust` and `retention` as people run them.
@Suite struct CandleCommandTests {
    private let database: TestDatabase

    /// Trades at 100, 102 and 101 within one minute of 2026-01-05, and one at 99 an hour later.
    init() throws {
        database = try TestDatabase()
        try database.addMarket()
        try database.connection().executeSimple(
            """
            INSERT INTO pgbook_data.trades (market, time, trade_id, price, amount, taker_side, seq, taker_order,
                                            maker_order, taker_user, maker_user)
            SELECT 1, t::timestamptz, n, p, 1000, n % 2, n, gen_random_uuid(), gen_random_uuid(), 'ann', 'bob'
            FROM (VALUES ('2026-01-05 09:00:01Z', 1, 200), ('2026-01-05 09:00:02Z', 2, 204),
                         ('2026-01-05 09:00:03Z', 3, 202), ('2026-01-05 10:00:00Z', 4, 198)) AS x(t, n, p);
            UPDATE pgbook_data.market_state SET clock = '2026-01-05 10:00Z', trade_id = 4;
            """)
    }

    private func run(_ arguments: String...) throws -> Program.Result {
        try Program.run(arguments, database: database.url(as: .node))
    }

    @Test func `rebuild makes candles from trades, verify proves them, and a bust changes them`() throws {
        let wrong = try run("candles", "verify")
        #expect(wrong.status == 1)
        #expect(wrong.output.contains("1m candle of 2026-01-05T09:00:00Z is missing"), "\(wrong.output)")
        let rebuilt = try run("candles", "rebuild")
        #expect(rebuilt.status == 0, "\(rebuilt.errors)")
        let verified = try run("candles", "verify", "--json")
        #expect(verified.status == 0, "\(verified.output)\(verified.errors)")

        let bust = try run("bust", "2", "--reason", "fat finger")
        #expect(bust.status == 0, "\(bust.errors)")
        #expect(bust.output == "trade 2 of BTC-USD, made 2026-01-05 09:00:02.000, is busted\n")
        let again = try run("bust", "2", "--reason", "again")
        #expect(again.status == 1)
        #expect(
            again.errors.split(separator: "\n").count == 1 && again.errors.contains("fat finger"), "\(again.errors)")
        #expect(try run("bust", "77", "--reason", "none").status == 1)

        let table = try run("candles", "--interval", "1h")
        #expect(table.lines.count == 3)
        #expect(table.lines[1].contains("100") && !table.lines[1].contains("102"), "\(table.output)")
        #expect(try run("candles", "verify").status == 0)
    }

    @Test func `a table, JSON, a chart of 80 columns and an SVG show the same candles`() throws {
        _ = try run("candles", "rebuild")
        let json = try run("candles", "--interval", "1h", "--from", "2026-01-05", "--to", "2026-01-06", "--json")
        let candles = try json.json(as: [[String: Any]].self)
        #expect(candles.count == 2)
        #expect(json.output.contains(#""open":100,"high":102,"low":100,"close":101,"volume":3,"#), "\(json.output)")
        let chart = try run(
            "candles", "--plot", "--interval", "1m", "--from", "2026-01-05T09:00", "--to", "2026-01-05T10:30", "--fill",
            "previous")
        #expect(chart.status == 0)
        #expect(chart.lines.allSatisfy { $0.count <= 80 }, "\(chart.output)")
        #expect(!chart.output.contains("\u{1B}"), "no colours where nobody looks")
        #expect(chart.output.contains("┃") || chart.output.contains("│"))
        let file = FileManager.default.temporaryDirectory.appending(path: "pgbook-\(UUID()).svg")
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try run("candles", "--interval", "1h", "--svg", file.path).status == 0)
        let svg = try String(contentsOf: file, encoding: .utf8)
        #expect(svg.hasPrefix("<svg ") && svg.contains("close 101") && svg.contains("BTC-USD 1h"))
        #expect(try XMLCheck.isWellFormed(svg))
        #expect(try run("candles", "--interval", "1h", "--svg", "-").output == svg)
        #expect(!FileManager.default.fileExists(atPath: "-"))
    }

    @Test func `what is no interval, time, zone or count is refused on one line`() throws {
        for (arguments, status) in [
            (["--interval", "7m"], 1), (["--from", "yesterday"], 1), (["--tz", "Europe/Berlin"], 1),
            (["--interval", "1d", "--tz", "Nowhere"], 1), (["--fill", "last"], 1), (["--last", "0"], 2), (["X"], 1),
        ] {
            let result = try Program.run(["candles"] + arguments, database: database.url(as: .reader))
            #expect(Int(result.status) == status, "\(arguments): \(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1, "\(arguments): \(result.errors)")
        }
    }

    @Test func `verify compares an imported market's candles with its trades, for it has no log`() throws {
        let admin = try database.connection()
        try admin.executeSimple("UPDATE pgbook_data.markets SET is_imported = true")
        _ = try run("candles", "rebuild")
        let verified = try run("verify")
        #expect(verified.status == 0 && verified.output.contains("BTC-USD: right"), "\(verified.output)")
        try admin.executeSimple("UPDATE pgbook_data.candles_1m SET close = close + 1")
        let wrong = try run("verify")
        #expect(wrong.status == 1 && wrong.output.contains("close is"), "\(wrong.output)")
    }

    @Test func `a running matcher closes what has ended`() async throws {
        _ = try run("candles", "rebuild")
        let admin = try database.connection()
        try admin.executeSimple("SELECT pgbook_data.reopen_candles(1::smallint, 'epoch')")
        try await withMatcher(database) {
            try await eventually("the hour from 9 is closed") {
                try admin.execute("SELECT FROM pgbook_data.candles_1h").count == 1
            }
        }
    }

    @Test func `retention says what it would drop, and drops it`() throws {
        _ = try run("candles", "rebuild")
        #expect(try run("retention").status == 2)
        #expect(
            try run("retention", "--keep", "365000d", "--dry-run").output.hasPrefix("no chunk of trades ends before"))
        let dry = try run("retention", "--keep", "30d", "--dry-run")
        #expect(dry.output.contains("would drop 1 chunk with 4 trades"), "\(dry.output)\(dry.errors)")
        let dropped = try run("retention", "--keep", "30d", "--chunk", "12h")
        #expect(
            dropped.output.contains("dropped 1 chunk with 4 trades; candles stay"), "\(dropped.output)\(dropped.errors)"
        )
        let verified = try run("candles", "verify")
        #expect(verified.status == 0 && verified.output.contains("not checked: 2 minutes"), "\(verified.output)")
        #expect(try run("candles", "--interval", "1h").lines.count == 3)
        #expect(try run("retention", "--chunk", "5h").status == 1)
        #expect(try Program.run(["retention", "--keep", "1d"], database: database.url(as: .reader)).status == 1)
    }
}

/// Whether every element of an XML text is closed.
private enum XMLCheck {
    static func isWellFormed(_ text: String) throws -> Bool {
        var open: [Substring] = []
        for match in text.matches(of: /<(\/?)(\w+)[^>]*?(\/?)>/) {
            if !match.1.isEmpty {
                guard open.popLast() == match.2 else { return false }
            } else if match.3.isEmpty {
                open.append(match.2)
            }
        }
        return open.isEmpty
    }
}
