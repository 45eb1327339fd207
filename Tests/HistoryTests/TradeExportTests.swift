import Foundation
import History
import OrderBook
import Postgres
import Store
import TestRandom
import TestSupport
import Testing

/// Tick and lot sizes: usual ones, whole ones, a third of many digits, and products beyond 64 and 128 bits.
private let units = [
    ("0.5", "0.001"), ("0.01", "0.00000001"), ("1", "1"), ("25", "100"),
    ("0.000000000000000001", "0.000000000000000001"),
    ("0.333333333333333333", "0.00000001"), ("999999.5", "1234567.00001"),
]

/// A folder of one test's own.
private final class Folder {
    let path = FileManager.default.temporaryDirectory.appending(path: "pgbook-export-\(UUID())").path
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
    func text(_ name: String) throws -> String { try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }
    func data(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: "\(path)/\(name)")) }
}

private let day: Int64 = 86_400_000_000

@Suite struct TradeExportTests {
    /// What the server itself makes of the trades.
    private func expected(_ history: StoredTrades, market: String, order: String = "asc") throws -> String {
        var text: [UInt8] = []
        try history.connection.executeSimple("SET timezone = 'UTC'")
        try history.connection.copyOut(
            """
            COPY (SELECT trade_id, to_char(time, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS time, symbol,
                         trim_scale(price * tick_size) AS price, trim_scale(amount * lot_size) AS amount,
                         trim_scale(price * tick_size * amount * lot_size) AS quote_amount,
                         CASE taker_side WHEN 0 THEN 'bid' ELSE 'ask' END AS taker_side, maker_order AS maker_order_id,
                         taker_order AS taker_order_id
                  FROM pgbook_data.trades t JOIN pgbook_data.markets m USING (market)
                  WHERE symbol = '\(market)' AND busted_at IS NULL ORDER BY t.time \(order), trade_id \(order))
            TO STDOUT (FORMAT csv, HEADER)
            """
        ) { text += $0 }
        return String(decoding: text, as: UTF8.self)
    }

    private func export(
        _ history: StoredTrades, _ market: String? = nil, to folder: Folder, as name: String = "trades.csv",
        _ change: (inout TradeExport) -> Void = { _ in }
    ) throws -> [ExportedFile] {
        var export = TradeExport(target: ExportTarget(path: "\(folder.path)/\(name)"))
        change(&export)
        return try export.run(history.connection, history.connection.marketHistories(named: market))
    }

    private func randomTrades(_ count: Int, seed: UInt64, days: Int64 = 3) -> [StoredTrades.Trade] {
        var generator = SeededGenerator(seed: seed)
        var micros: Int64 = 0
        return (1...Int64(count)).map { id in
            micros += Int64.random(in: 0...(days * day / Int64(count) * 2), using: &generator)
            let widths = (Int.random(in: 1...49, using: &generator), Int.random(in: 1...49, using: &generator))
            return StoredTrades.Trade(
                id: id, micros: micros, price: .random(in: 1...(1 << widths.0), using: &generator),
                amount: id % 3 == 0 ? 1000 : .random(in: 1...(1 << widths.1), using: &generator),
                isAsk: .random(using: &generator), isBusted: id % 17 == 0, orders: id % 5 != 0)
        }
    }

    @Test func `a file is, byte for byte, what the server makes of the same trades`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        let history = try StoredTrades()
        let folder = try Folder()
        for (index, (tick, lot)) in units.enumerated() {
            // Enough for many blocks in one market.
            try history.add(
                market: "M\(index)", tick: tick, lot: lot,
                randomTrades(index == 0 ? 6000 : 150, seed: seed &+ UInt64(index)))
            let files = try export(history, "M\(index)", to: folder)
            let wanted = try expected(history, market: "M\(index)")
            let made = try folder.text("trades.csv")
            #expect(made == wanted, "tick \(tick), lot \(lot)")
            #expect(files.first?.rows == wanted.split(separator: "\n").count - 1)
            _ = try export(history, "M\(index)", to: folder) { $0.latestFirst = true }
            #expect(try folder.text("trades.csv") == expected(history, market: "M\(index)", order: "desc"))
        }
    }

    @Test func `without a name all markets follow each other under one header, and an empty one adds nothing`() throws {
        let history = try StoredTrades()
        let folder = try Folder()
        try history.add(market: "b", tick: "1", lot: "1", [.init(id: 1, micros: 5, price: 2, amount: 3)])
        try history.add(
            market: "A", tick: "1", lot: "1", [.init(id: 1, micros: 9, price: 4, amount: 5, isAsk: true, orders: false)]
        )
        try history.database.addMarket("empty")
        _ = try export(history, to: folder)
        #expect(
            try folder.text("trades.csv") == """
                trade_id,time,symbol,price,amount,quote_amount,taker_side,maker_order_id,taker_order_id
                1,2026-01-01T00:00:00.000009Z,A,4,5,20,ask,,
                1,2026-01-01T00:00:00.000005Z,b,2,3,6,bid,0197c1d8-5a00-7000-8abc-0000000f4241,0197c1d8-5a00-7000-8abc-000000000001

                """)
        _ = try export(history, "empty", to: folder)
        #expect(try folder.text("trades.csv").split(separator: "\n").count == 1)
        #expect(throws: HistoryError.self) { try export(history, to: folder) { $0.target.split = .day } }
    }

    @Test func `a range holds its beginning and not its end`() throws {
        let history = try StoredTrades()
        let folder = try Folder()
        try history.add(
            market: "M", tick: "1", lot: "1",
            (1...5).map { .init(id: $0, micros: $0 * 1000, price: 1, amount: 1) })
        _ = try export(history, to: folder) {
            $0.columns = [.tradeID]
            $0.from = Timestamp(StoredTrades.epoch + 2000)
            $0.to = Timestamp(StoredTrades.epoch + 4000)
        }
        #expect(try folder.text("trades.csv") == "trade_id\n2\n3\n")
    }

    @Test(arguments: [
        (TimeStyle.iso, "2026-01-02T03:04:05.678901Z"), (.seconds, "1767323045"), (.milliseconds, "1767323045678"),
        (.microseconds, "1767323045678901"), (.nanoseconds, "1767323045678901000"), (.millisecondsOfDay, "11045678"),
        (.pattern("%d.%m.%y %H:%M"), "02.01.26 03:04"),
    ])
    func `a time is written as asked for`(style: TimeStyle, wanted: String) throws {
        let history = try StoredTrades()
        let folder = try Folder()
        let micros = day + (3 * 3600 + 4 * 60 + 5) * 1_000_000 + 678_901
        try history.add(market: "M", tick: "1", lot: "1", [.init(id: 7, micros: micros, price: 1, amount: 1)])
        _ = try export(history, to: folder) {
            $0.time = style
            $0.columns = [.time, .tradeID]
        }
        #expect(try folder.text("trades.csv") == "time,trade_id\n\(wanted),7\n")
    }

    @Test func `the files of days hold together what one file holds, and a manifest tells their digests`() throws {
        let history = try StoredTrades()
        let folder = try Folder()
        try history.add(market: "M", tick: "0.1", lot: "0.1", randomTrades(900, seed: 4, days: 40))
        _ = try export(history, to: folder)
        let whole = try folder.text("trades.csv").split(separator: "\n")
        for (split, pattern, least) in [(ExportTarget.Split.day, "d-%Y%m%d.csv", 30), (.month, "m.csv", 2)] {
            let files = try export(history, to: folder, as: pattern) { $0.target.split = split }
            #expect(files.count >= least)
            var rows: [Substring] = []
            for file in files {
                let lines = try String(contentsOfFile: file.path, encoding: .utf8).split(separator: "\n")
                #expect(lines.first == whole.first)
                #expect(lines.count == file.rows + 1)
                #expect(lines[1].hasPrefix("\(try #require(file.firstTrade)),"))
                rows += lines.dropFirst()
            }
            #expect(rows == Array(whole.dropFirst()))
        }
        #expect(folder.names.contains("d-20260102.csv") && folder.names.contains("m-2026-01.csv"))
        var target = ExportTarget(path: "\(folder.path)/d-%Y%m%d.csv", split: .day)
        let files = try export(history, to: folder, as: "d-%Y%m%d.csv") { $0.target = target }
        try ExportManifest(
            kind: "trades", markets: ["M"], format: "csv", from: nil, to: nil, files: files
        ).write(for: target)
        let manifest = try #require(
            JSONSerialization.jsonObject(with: try folder.data("d.csv.manifest.json")) as? [String: Any])
        #expect(manifest["rows"] as? Int == whole.count - 1)
        let entries = try #require(manifest["files"] as? [[String: Any]])
        let first = try #require(entries.first)
        let content = try folder.data(try #require(first["name"] as? String))
        let digest = SHA256.hash(content).words
        let hex = [digest.0, digest.1, digest.2, digest.3].map { String(format: "%016lx", Int(bitPattern: UInt($0))) }
        #expect(first["sha256"] as? String == hex.joined())
        target.split = nil
    }

    @Test func `the same range twice gives the same bytes, compressed too`() throws {
        let history = try StoredTrades()
        let folder = try Folder()
        try history.add(market: "M", tick: "0.1", lot: "0.1", randomTrades(500, seed: 9))
        for name in ["a.csv.gz", "b.csv.gz"] {
            _ = try export(history, to: folder, as: name) { $0.target.isCompressed = true }
        }
        #expect(try folder.data("a.csv.gz") == folder.data("b.csv.gz"))
        _ = try export(history, to: folder)
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", "\(folder.path)/a.csv.gz"]
        process.standardOutput = pipe
        try process.run()
        #expect(try pipe.fileHandleForReading.readToEnd() == folder.data("trades.csv"))
        #expect(folder.names == ["a.csv.gz", "b.csv.gz", "trades.csv"])
    }

    @Test(arguments: [RowShape.json, .ndjson])
    func `JSON is well formed, and its numbers are the CSV's`(shape: RowShape) throws {
        let history = try StoredTrades()
        let folder = try Folder()
        try history.add(market: "M", tick: "0.01", lot: "0.001", randomTrades(50, seed: 11))
        _ = try export(history, to: folder)
        let rows = try folder.text("trades.csv").split(separator: "\n").dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        _ = try export(history, to: folder, as: "trades.json") { $0.shape = shape }
        let text = try folder.text("trades.json")
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("{") }
        #expect(lines.count == rows.count)
        let whole = shape == .json ? text : "[" + lines.joined(separator: ",") + "]"
        let objects = try #require(JSONSerialization.jsonObject(with: Data(whole.utf8)) as? [[String: Any]])
        for (row, (object, line)) in zip(rows, zip(objects, lines)) {
            #expect(object["time"] as? String == String(row[1]))
            #expect(line.contains("\"quote_amount\":\(row[5]),"))
            #expect(object["maker_order_id"] as? String ?? "" == String(row[7]))
        }
    }

    @Test func `an export that ends early leaves nothing, not even of a file that was there`() throws {
        struct Stop: Error {}
        let history = try StoredTrades()
        let folder = try Folder()
        try history.add(market: "M", tick: "0.1", lot: "0.1", randomTrades(6000, seed: 5))
        _ = try export(history, to: folder) { $0.columns = [.tradeID] }
        let before = try folder.data("trades.csv")
        let export = TradeExport(target: ExportTarget(path: "\(folder.path)/trades.csv"))
        #expect(throws: Stop.self) {
            try export.run(history.connection, history.connection.marketHistories()) { _ in throw Stop() }
        }
        #expect(folder.names == ["trades.csv"])
        #expect(try folder.data("trades.csv") == before)
        // The connection is as good as before.
        #expect(try history.connection.marketHistories().count == 1)
    }

    @Test func `a reader may export`() throws {
        let history = try StoredTrades()
        let folder = try Folder()
        try history.add(market: "M", tick: "0.1", lot: "0.1", randomTrades(10, seed: 6))
        let reader = try history.database.connection(as: .reader)
        let export = TradeExport(target: ExportTarget(path: "\(folder.path)/trades.csv"))
        #expect(try export.run(reader, reader.marketHistories()).first?.rows == 10)
    }
}
