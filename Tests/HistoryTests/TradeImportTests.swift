import Foundation
import History
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

@Suite struct TradeImportTests {
    private static let columns: [ImportField: String] = [.time: "ts", .price: "p", .amount: "q", .side: "s", .id: "id"]

    /// Writes a file, imports it, and takes the file away.
    private func importing(
        _ text: String, into database: TestDatabase, symbol: String = "X", tick: String? = "0.1", lot: String? = "0.01",
        columns: [ImportField: String] = columns, time: TradeImport.TimeUnit = .ms
    ) throws -> Int {
        let file = FileManager.default.temporaryDirectory.appending(path: "pgbook-import-\(UUID()).csv")
        defer { try? FileManager.default.removeItem(at: file) }
        try text.write(to: file, atomically: true, encoding: .utf8)
        return try run(file.path, database, symbol, tick, lot, columns, time)
    }

    private func run(
        _ path: String, _ database: TestDatabase, _ symbol: String, _ tick: String?, _ lot: String?,
        _ columns: [ImportField: String], _ time: TradeImport.TimeUnit
    ) throws -> Int {
        let trades = TradeImport(
            symbol: symbol, tickSize: tick.flatMap { PostgresNumeric($0) },
            lotSize: lot.flatMap { PostgresNumeric($0) },
            columns: columns, time: time, readTime: { _ in nil })
        return try trades.run(path, database.connection(as: .node))
    }

    private func count(_ database: TestDatabase) throws -> Int64 {
        try database.connection().execute("SELECT count(*) FROM pgbook_data.trades").one().decode(at: 0)
    }

    private let header = "id,ts,p,q,s\n"

    @Test func `the exchange's trades give the exchange's own candles`() throws {
        guard let trades = SharedData.file("candles/kraken_XBTUSDT_trades.csv", cases: 409),
            let candles = SharedData.file("candles/kraken_XBTUSDT_1m.csv", cases: 409)
        else { return }
        let database = try TestDatabase()
        let stored = try run(
            trades.path, database, "XBT-USDT", "0.1", "0.00000001",
            [.time: "ts_ns", .price: "price", .amount: "qty", .side: "side", .id: "id"], .ns)
        #expect(stored == 1000)
        let theirs = try String(contentsOf: candles, encoding: .utf8).split(separator: "\n").dropFirst().map {
            $0.split(separator: ",").map { String($0) }
        }
        #expect(theirs.count == 409)
        let (first, last) = (try #require(Int64(theirs[0][0])), try #require(Int64(theirs[408][0])))
        let layout = try CandleLayout(
            .csv, interval: .minute, columns: [.time, .open, .high, .low, .close, .volume, .trades, .vwap],
            time: .seconds, symbol: "XBT-USDT")
        let file = FileManager.default.temporaryDirectory.appending(path: "pgbook-import-\(UUID()).csv")
        defer { try? FileManager.default.removeItem(at: file) }
        let export = CandleExport(
            layout, interval: .minute, target: ExportTarget(path: file.path), fill: "previous",
            from: Timestamp(first * 1_000_000), to: Timestamp((last + 60) * 1_000_000), includesOpen: true)
        let reader = try database.connection(as: .reader)
        _ = try export.run(reader, reader.marketHistories())
        let ours = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst().map {
            $0.split(separator: ",").map { String($0) }
        }
        #expect(ours.count == 409)
        for (our, their) in zip(ours, theirs) {
            #expect(Array(our[..<7]) == Array(their[..<7]))
            // The exchange cuts it off after one decimal.
            let vwap = our[7].split(separator: ".")
            #expect("\(vwap[0]).\(vwap.count > 1 ? vwap[1].prefix(1) : "0")" == their[7], "\(our)")
        }
    }

    @Test func `lines may come in any order, and a later file goes on in the same minute`() throws {
        let database = try TestDatabase()
        let first = "7,60000,1.2,0.5,buy\n5,59999,1.1,0.25,sell\n6,60000,1.3,1,B\n"
        #expect(try importing(header + first, into: database) == 3)
        #expect(try importing(header + "8,60001,1.0,2,ask\r\n", into: database, tick: nil, lot: nil) == 1)
        let rows = try database.connection().execute(
            """
            SELECT concat_ws(' ', extract(epoch FROM time)::bigint, open, high, low, close, volume, trades,
                             taker_buy_volume, quote_volume) FROM pgbook.candles_1m ORDER BY time
            """)
        #expect(
            try rows.map { try $0.decode(String.self, at: 0) } == [
                "0 1.1 1.1 1.1 1.1 0.25 1 0 0.275", "60 1.3 1.3 1 1 3.5 3 1.5 3.9",
            ])
        let state = try database.connection().execute(
            "SELECT concat_ws(' ', trade_id, last_price, extract(epoch FROM clock)) FROM pgbook_data.market_state")
        #expect(try state.one().decode(String.self, at: 0) == "8 10 60.001000")
    }

    @Test(arguments: [
        ("1,1,1.2,1,b\n1,2,1.2,1,b\n", "line 3: trade 1 stands in line 2 already"),
        ("9,5000,1.2,1,b\n", "line 2: trade 9 is not above the market's last, 10"),
        ("11,4999,1.2,1,b\n", "line 2: trade 11 is earlier"),
        ("12,6000,1.2,1,b\n11,6001,1.2,1,b\n", "line 2: trade 12 is earlier"),
        ("11,6000,1.25,1,b\n", "line 2: price 1.25 is not a positive multiple of the tick size 0.1"),
        (
            "11,6000,1.2,1,b\n12,6000,1.2,0.001,b\n",
            "line 3: amount 0.001 is not a positive multiple of the lot size 0.01"
        ),
        ("11,6000,-1.2,1,b\n", "price -1.2"), ("11,6000,1.2,1,x\n", "side 'x'"), ("11,soon,1.2,1,b\n", "time 'soon'"),
        ("x,6000,1.2,1,b\n", "id 'x'"), ("11,6000,1.2\n", "line 2: 3 fields"), ("", "holds no trades"),
    ])
    func `a file with a fault is refused with its line, and nothing of it is stored`(lines: String, message: String)
        throws
    {
        let database = try TestDatabase()
        _ = try importing(header + "10,5000,1.2,1,b\n", into: database)
        let fault = #expect(throws: HistoryError.self) { try importing(header + lines, into: database) }
        #expect(fault?.message.contains(message) == true, "\(fault?.message ?? "")")
        #expect(try count(database) == 1)
    }

    @Test func `a market that has orders takes no import, and one that was imported takes no commands`() throws {
        let database = try TestDatabase()
        let connection = try database.connection()
        try database.addMarket("X", tick: "0.1", lot: "0.01")
        try connection.execute("SELECT pgbook.place_order('X', 'bid', 0.25, 1.1)")
        let fault = #expect(throws: HistoryError.self) { try importing(header + "1,1,1.2,1,b\n", into: database) }
        #expect(fault?.message.contains("takes orders") == true)
        _ = try importing(header + "1,1,1.2,1,b\n", into: database, symbol: "Y")
        for command in [
            "SELECT pgbook.place_order('Y', 'bid', 0.25, 1.1)", "SELECT pgbook.halt_market('Y')",
            "SELECT pgbook.cancel_all('Y')",
        ] {
            let refusal = #expect(throws: PostgresError.self) { try connection.execute(command) }
            #expect(refusal?.message == "halted: market Y holds an imported history and takes no orders")
        }
        #expect(try connection.versionedMarkets().map(\.market.symbol) == ["X"])
    }

    @Test func `what was exported comes back the same`() throws {
        let history = try StoredTrades()
        try history.add(
            market: "M", tick: "0.5", lot: "0.001",
            (1...500).map {
                .init(
                    id: $0, micros: $0 * $0 * 1000, price: 100 + $0 % 7, amount: 1 + $0 % 5, isAsk: $0 % 2 == 0,
                    orders: false)
            })
        let folder = FileManager.default.temporaryDirectory.appending(path: "pgbook-import-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let node = try history.database.connection(as: .node)
        func export(_ market: String, _ name: String) throws -> String {
            var export = TradeExport(
                target: ExportTarget(path: folder.appending(path: name).path, isCompressed: name.hasSuffix("gz")))
            export.columns.removeAll { $0 == .symbol }
            export.time = .microseconds
            _ = try export.run(node, node.marketHistories(named: market))
            return folder.appending(path: name).path
        }
        let compressed = try export("M", "m.csv.gz")
        #expect(try run(compressed, history.database, "COPY", "0.50", "0.001", [:], .us) == 500)
        let (before, after) = (try export("M", "m.csv"), try export("COPY", "copy.csv"))
        #expect(try String(contentsOfFile: before, encoding: .utf8) == String(contentsOfFile: after, encoding: .utf8))
        // Its candles are the same too.
        let differing = try history.connection.execute(
            """
            SELECT time, open, high, low, close, volume, notional, taker_buy_volume FROM pgbook_data.candles_1m
            GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 HAVING count(*) <> 2
            """)
        #expect(differing.isEmpty)
    }
}
