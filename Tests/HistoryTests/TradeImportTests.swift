import Exchange
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
        columns: [ImportField: String] = columns, time: TradeImport.TimeUnit = .ms, allowsFuture: Bool = false
    ) throws -> Int {
        let file = FileManager.default.temporaryDirectory.appending(path: "pgbook-import-\(UUID()).csv")
        defer { try? FileManager.default.removeItem(at: file) }
        try text.write(to: file, atomically: true, encoding: .utf8)
        return try run(file.path, database, symbol, tick, lot, columns, time, allowsFuture)
    }

    private func run(
        _ path: String, _ database: TestDatabase, _ symbol: String, _ tick: String?, _ lot: String?,
        _ columns: [ImportField: String], _ time: TradeImport.TimeUnit, _ allowsFuture: Bool = false
    ) throws -> Int {
        let trades = TradeImport(
            symbol: symbol, tickSize: tick.flatMap { PostgresNumeric($0) },
            lotSize: lot.flatMap { PostgresNumeric($0) },
            columns: columns, time: time, allowsFuture: allowsFuture, readTime: { _ in nil })
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
        ("11,9223372036854775807,1.2,1,b\n", "time '9223372036854775807' in ms is outside the years 1 to 9999"),
        ("11,99999999999999999999999999999999999999,1.2,1,b\n", "in ms is outside the years 1 to 9999"),
        ("11,-62135596800001,1.2,1,b\n", "time '-62135596800001' in ms is outside the years 1 to 9999"),
        ("9223372036854775807,6000,1.2,1,b\n", "id 9223372036854775807 is above 9000000000000000000"),
        ("9223372036854775808,6000,1.2,1,b\n", "id '9223372036854775808'"),
        (
            "11,6000,1.2,20000000000000000,b\n",
            "amount 20000000000000000.00 is too large; the largest is 10000000000000000.00"
        ),
        (
            "11,6000,200000000000000000.1,1,b\n",
            "price 200000000000000000.1 is too large; the highest is 100000000000000000.0"
        ),
        (
            "11,6000,100000000000000000,10000000000000000,b\n",
            "is worth too much; the most is 1000000000000000000000000000.000"
        ), ("x,6000,1.2,1,b\n", "id 'x'"), ("11,6000,1.2\n", "line 2: 3 fields"), ("", "holds no trades"),
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

    @Test func `after the last id there is no other, and the times may be the first and the last there are`() throws {
        let database = try TestDatabase()
        let first = "1,-62135596800000,1.2,1,b\n"
        let last = "9000000000000000000,253402300799999,1.2,1,b\n"
        #expect(try importing(header + first + last, into: database, allowsFuture: true) == 2)
        let withoutIDs: [ImportField: String] = [.time: "ts", .price: "p", .amount: "q", .side: "s"]
        let fault = #expect(throws: HistoryError.self) {
            try importing("ts,p,q,s\n253402300799999,1.2,1,b\n", into: database, columns: withoutIDs)
        }
        #expect(fault?.message.contains("id 9000000000000000001 is above 9000000000000000000") == true)
        #expect(try count(database) == 2)
        // Years below 1000 have four digits too.
        let file = FileManager.default.temporaryDirectory.appending(path: "pgbook-import-\(UUID()).csv")
        defer { try? FileManager.default.removeItem(at: file) }
        let connection = try database.connection()
        var trades = TradeExport(target: ExportTarget(path: file.path))
        trades.columns = [.tradeID, .time]
        _ = try trades.run(connection, connection.marketHistories())
        #expect(
            try String(contentsOf: file, encoding: .utf8) == """
                trade_id,time
                1,0001-01-01T00:00:00.000000Z
                9000000000000000000,9999-12-31T23:59:59.999000Z

                """)
        let styles: [(TimeStyle, String)] = [
            (.iso, "0001-01-01T00:00:00Z"), (.pattern("%Y|%F|%%Y|%d"), "0001|0001-01-01|%Y|01"),
            (.nanoseconds, "-62135596800000000000"), (.seconds, "-62135596800"),
        ]
        for (style, begins) in styles {
            let layout = try CandleLayout(.csv, interval: .minute, columns: [.time], time: style, symbol: "X")
            let candles = CandleExport(
                layout, interval: .minute, target: ExportTarget(path: file.path), fill: "none", includesOpen: true)
            _ = try candles.run(connection, connection.marketHistories())
            #expect(try String(contentsOf: file, encoding: .utf8).split(separator: "\n")[1] == begins)
        }
        let market = try #require(connection.markets().first)
        #expect(try CandleVerification(connection).run(market).difference == nil)
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

    // MARK: taking back

    private func state(_ database: TestDatabase) throws -> [String] {
        try database.connection().execute(
            """
            SELECT t FROM (
                SELECT 'trade ' || x::text AS t FROM pgbook_data.trades x
                UNION ALL SELECT '1m ' || c::text FROM pgbook_data.candles_1m c
                UNION ALL SELECT '1h ' || c::text FROM pgbook_data.candles_1h c
                UNION ALL SELECT '1d ' || c::text FROM pgbook_data.candles_1d c
                UNION ALL SELECT 'state ' || s::text FROM pgbook_data.market_state s
                UNION ALL SELECT 'levels ' || l::text FROM pgbook_data.candle_levels l
                UNION ALL SELECT 'bust ' || b::text FROM pgbook_data.busts b) r ORDER BY t COLLATE "C"
            """
        ).map { try $0.decode(String.self, at: 0) }
    }

    @Test func `an import is taken back as if it had never been, the latest first`() throws {
        let database = try TestDatabase()
        let node = try database.connection(as: .node)
        // The second goes on in the first's last minute and over two days; the third lies days later.
        let files = [
            "1,60000,1.2,0.5,b\n2,119000,1.3,0.25,s\n",
            "3,119001,1.1,1,b\n4,4000000,1.4,2,s\n5,90000000,1.5,2,s\n", "6,500000000,1.6,1,b\n",
        ]
        var states: [[String]] = []
        for lines in files {
            _ = try importing(header + lines, into: database, tick: "0.1", lot: "0.01")
            states.append(try state(database))
        }
        try node.execute("SELECT pgbook.bust_trade('X', 6, 'wrong')")
        #expect(try node.imports(of: "X", max: 10).map(\.trades) == [1, 3, 2])
        for (index, trades) in [(1, Int64(1)), (0, 3)] {
            let undone = try node.undoImport(of: "X")
            #expect(undone.trades == trades)
            #expect(undone.undoneAt != nil)
            #expect(try state(database) == states[index])
        }
        // What was taken back can be imported again, and gives the same.
        _ = try importing(header + files[1], into: database)
        #expect(try state(database) == states[1])
        #expect(try node.undoImport(of: "X").trades == 3)
        #expect(try node.undoImport(of: "X").trades == 2)
        #expect(try count(database) == 0)
        let none = #expect(throws: Rejection.self) { try node.undoImport(of: "X") }
        #expect(none?.message.contains("no import that could be taken back") == true)
        #expect(throws: Rejection.self) { try node.undoImport(of: "NOPE") }
        #expect(throws: (any Error).self) { try database.connection(as: .trader).undoImport(of: "X") }
    }

    // MARK: markets that are no part of trading

    @Test func `times to come are refused unless they are asked for`() throws {
        let database = try TestDatabase()
        let future = "1,\(Int64(Date().timeIntervalSince1970 * 1000) + 3_600_000),1.2,1,b\n"
        let fault = #expect(throws: HistoryError.self) { try importing(header + future, into: database) }
        #expect(fault?.message.contains("is ms the right --time? --future takes it all the same") == true)
        #expect(try count(database) == 0)
        #expect(try importing(header + future, into: database, allowsFuture: true) == 1)
    }

    @Test func `an imported history moves no clock and stops no loop over the markets`() throws {
        let database = try TestDatabase()
        let node = try database.connection(as: .node)
        let trader = try database.connection(as: .trader)
        try database.addMarket("LIVE")
        let ahead = Int64(Date().timeIntervalSince1970 * 1000) + 3_600_000
        // Names on both sides of the live market's, for whoever goes through them in order.
        for symbol in ["A", "Z"] {
            _ = try importing(header + "1,\(ahead),1.2,1,b\n", into: database, symbol: symbol, allowsFuture: true)
        }
        let before = Timestamp(ahead * 1000)
        #expect(try node.directStart().stamp < before)
        let exchange = try DirectExchange(node)
        let soon = Timestamp(ahead * 1000 - 1_800_000_000)
        let entry = Entry(
            user: UserID("ann"), market: "LIVE",
            action: .place(
                PlaceEntry(
                    side: .bid, amount: PostgresNumeric(unscaled: 1, scale: 0),
                    price: PostgresNumeric(unscaled: 100, scale: 0), timeInForce: .gtd(expires: soon))))
        let results = exchange.submit([entry]) + exchange.finish()
        let executed = try results.flatMap { try $0.results }
        #expect(executed.map { $0.execution?.outcome.code } == [.open])
        // In all markets, its own and everybody's.
        #expect(try trader.execute("SELECT market FROM pgbook.cancel_all()").map { try $0.decode(String.self, at: 0) } == ["LIVE"])
        let everybody = try node.execute("SELECT market FROM pgbook.cancel_all(everybody => true)")
        #expect(try everybody.map { try $0.decode(String.self, at: 0) } == ["LIVE"])
    }
}
