import Foundation
import History
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

private let golden = SharedData.repository.appending(path: "Tests/HistoryTests/Golden")

@Suite struct CandleExportTests {
    /// Trades around a midnight that ends a year, with an empty minute among them.
    private func history() throws -> StoredTrades {
        let history = try StoredTrades()
        try history.add(
            market: "BTC-USD", tick: "0.01", lot: "0.0001",
            [
                .init(id: 1, micros: -59_000_000, price: 8_765_432, amount: 12_345, isAsk: true),
                .init(id: 2, micros: -1, price: 8_765_500, amount: 5000),
                .init(id: 3, micros: 0, price: 8_765_450, amount: 1),
                .init(id: 4, micros: 0, price: 8_765_400, amount: 20_000, isAsk: true),
                .init(id: 5, micros: 30_000_000, price: 9_000_000, amount: 7, isBusted: true),
                .init(id: 6, micros: 125_000_000, price: 8_765_433, amount: 3),
                .init(id: 7, micros: 179_999_999, price: 8_765_410, amount: 10_000),
                .init(id: 8, micros: 3_600_000_000, price: 8_800_000, amount: 40_000, isAsk: true),
            ])
        return history
    }

    private func export(
        _ history: StoredTrades, _ format: ExportFormat, to path: String, interval: CandleInterval = .minute,
        fill: String = "none", split: ExportTarget.Split? = nil, includesOpen: Bool = false, from: Timestamp? = nil,
        to: Timestamp? = nil, columns: [CandleColumn]? = nil, time: TimeStyle? = nil, latestFirst: Bool? = nil
    ) throws -> [ExportedFile] {
        let layout = try CandleLayout(format, interval: interval, columns: columns, time: time, symbol: "BTC-USD")
        let export = CandleExport(
            layout, interval: interval, target: ExportTarget(path: path, split: split), fill: fill, from: from, to: to,
            includesOpen: includesOpen, latestFirst: latestFirst)
        let reader = try history.database.connection(as: .reader)
        return try export.run(reader, reader.marketHistories())
    }

    private func text(_ history: StoredTrades, _ format: ExportFormat = .csv, _ make: (String) throws -> Void) throws
        -> String
    {
        let path = FileManager.default.temporaryDirectory.appending(path: "pgbook-candles-\(UUID()).\(format.rawValue)")
        defer { try? FileManager.default.removeItem(at: path) }
        try make(path.path)
        return try String(contentsOf: path, encoding: .utf8)
    }

    /// 2026-01-01 plus minutes.
    private func minute(_ count: Int64) -> Timestamp { Timestamp(StoredTrades.epoch + count * 60_000_000) }

    @Test(arguments: ExportFormat.allCases)
    func `each format is its golden file`(format: ExportFormat) throws {
        let history = try history()
        let made = try text(history, format) { path in
            // LEAN's files are of one day.
            _ = try export(
                history, format, to: path, from: format == .lean ? minute(0) : nil)
        }
        let file = golden.appending(path: "candles_1m.\(format.rawValue)")
        if ProcessInfo.processInfo.environment["PGBOOK_WRITE_GOLDEN"] != nil {
            try made.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try made == String(contentsOf: file, encoding: .utf8))
    }

    @Test func `lean's short candles need a file for each day, and its long ones do not`() throws {
        let history = try history()
        #expect(throws: HistoryError.self) {
            try text(history, .lean) { _ = try export(history, .lean, to: $0) }
        }
        let hours = try text(history, .lean) { _ = try export(history, .lean, to: $0, interval: .hour) }
        #expect(hours.hasPrefix("20251231 23:00,"), "\(hours)")
    }

    @Test func `a filled minute has the close before it, or zeros, and no volume`() throws {
        let history = try history()
        let columns: [CandleColumn] = [.time, .open, .close, .volume, .vwap, .trades]
        for (fill, empty) in [("previous", "87654,87654,0,0,0"), ("zero", "0,0,0,0,0")] {
            for latestFirst in [false, true] {
                let made = try text(history) { path in
                    _ = try export(
                        history, .csv, to: path, fill: fill, from: minute(0), to: minute(3), columns: columns,
                        latestFirst: latestFirst)
                }
                let lines = [
                    "2026-01-01T00:00:00Z,87654.5,87654,2.0001,87654.00002499875,2",
                    "2026-01-01T00:01:00Z,\(empty)",
                    "2026-01-01T00:02:00Z,87654.33,87654.1,1.0003,87654.100068979306,2",
                ]
                #expect(
                    made.split(separator: "\n").dropFirst().map { String($0) }
                        == (latestFirst ? lines.reversed() : lines))
            }
        }
    }

    @Test func `the bucket that goes on is left out unless asked for`() throws {
        let history = try StoredTrades()
        let now = PostgresTimestamp.now().microsecondsSinceUnixEpoch - StoredTrades.epoch
        try history.add(
            market: "BTC-USD", tick: "1", lot: "1",
            [
                .init(id: 1, micros: now - 7_200_000_000, price: 1, amount: 1),
                .init(id: 2, micros: now, price: 2, amount: 1),
            ])
        for (includesOpen, count) in [(false, 1), (true, 2)] {
            let made = try text(history) {
                _ = try export(history, .csv, to: $0, includesOpen: includesOpen, columns: [.close])
            }
            #expect(made.split(separator: "\n").count == 1 + count)
        }
    }

    @Test func `the files of days tell their first and last trades`() throws {
        let history = try history()
        let folder = FileManager.default.temporaryDirectory.appending(path: "pgbook-candles-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = try export(history, .csv, to: folder.appending(path: "c.csv").path, split: .day)
        #expect(files.map(\.rows) == [1, 3])
        #expect(files.map(\.firstTrade) == [1, 3])
        #expect(files.map(\.lastTrade) == [2, 8])
    }

    @Test(arguments: [
        ("pandas", ExportFormat.csv), ("freqtrade", .freqtrade), ("freqtrade", .ccxt), ("backtrader", .backtrader),
        ("cryptodatadownload", .cryptodatadownload), ("binance", .binance),
    ])
    func `the program that a format is for reads it`(reader: String, format: ExportFormat) throws {
        let history = try history()
        let module = reader == "backtrader" ? "backtrader" : "pandas"
        guard let python = ProcessInfo.processInfo.environment["PGBOOK_TEST_PYTHON"],
            try run(python, ["-c", "import \(module)"]).code == 0
        else {
            print("left out 1 case: PGBOOK_TEST_PYTHON names no Python with the package \(module)")
            return
        }
        let path = FileManager.default.temporaryDirectory
            .appending(path: "pgbook-candles-\(UUID()).\(format == .ccxt ? "json" : "csv")")
        defer { try? FileManager.default.removeItem(at: path) }
        _ = try export(history, format, to: path.path)
        let script = SharedData.repository.appending(path: "Tests/HistoryTests/load_candles.py").path
        let (code, output) = try run(python, [script, reader, path.path])
        #expect(code == 0, "\(output)")
        let last = output.split(separator: "\n").last ?? ""
        #expect(last == "{\"rows\": 4, \"close\": [87655.0, 87654.0, 87654.1, 88000.0]}", "\(output)")
    }

    private func run(_ program: String, _ arguments: [String]) throws -> (code: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
