import History
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// Busted trades are left out of candles, whatever they were in them.
@Suite struct BustTests {
    /// Trades 1 to 10, half an hour apart, and three in the last minute: 11 to 13. Everything but the last day is closed.
    private func traded() throws -> TradeHistory {
        let history = try TradeHistory()
        let begin = try TradeHistory.micros("2026-01-05 20:00")
        for index: Int64 in 0..<10 {
            history.add(
                begin + index * 1_800_000_000, price: 10 + index, amount: 1 + index, index % 2 == 0 ? .bid : .ask)
        }
        for price: Int64 in [30, 40, 20] { history.add(begin + 18_000_000_000, price: price, amount: 7) }
        try history.save()
        try history.close()
        return history
    }

    @Test(arguments: [
        [11], [12], [13], [11, 13], [11, 12, 13], [1], [5], [10, 9, 8], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    ])
    func `the first, the last or the only trade of a minute may be busted, in closed hours too`(ids: [Int64]) throws {
        let history = try traded()
        for id in ids {
            let bust = try history.connection.bust(TradeID(id), of: "M", reason: "a test")
            #expect(bust.time == history.trades[Int(id) - 1].time)
            #expect(bust.reason == "a test" && bust.bustedBy == "pgbook_test_node")
        }
        for (interval, width) in [("1m", 60), ("1h", 3600), ("1d", 86_400), ("5m", 300), ("4h", 14_400), ("1s", 1)] {
            let isEqual =
                try history.candles(interval)
                == history.expected(without: Set(ids)) { $0 - $0 % (Int64(width) * 1_000_000) }
            #expect(isEqual, "\(interval) without \(ids)")
        }
        let report = try CandleVerification(history.connection).run(history.market)
        #expect(report.difference == nil, "\(String(describing: report.difference))")
        #expect(report.trades == 13 && report.busted == Int64(ids.count))
        let marked = try history.connection.execute("SELECT id FROM pgbook.trades WHERE busted ORDER BY id")
        #expect(try marked.map { try $0.decode(Int64.self, at: 0) } == ids.sorted())
        #expect(try history.connection.execute("SELECT FROM pgbook.busts").count == ids.count)
    }

    private func refusal(_ history: TradeHistory, _ id: Int64, of market: String = "M", reason: String = "x")
        -> Rejection?
    {
        #expect(throws: Rejection.self) { try history.connection.bust(TradeID(id), of: market, reason: reason) }
    }

    @Test func `what cannot be busted is refused, and nothing changes`() throws {
        let history = try traded()
        _ = try history.connection.bust(TradeID(5), of: "M", reason: "first")
        let before = try history.candles("1m")
        #expect(refusal(history, 5)?.code == .duplicate)
        #expect(refusal(history, 5)?.message.contains("first") == true, "it says why it was busted")
        for id: Int64 in [0, -1, 14, .max, .min] { #expect(refusal(history, id)?.field == "trade_id", "\(id)") }
        #expect(refusal(history, 6, of: "X")?.code == .unknownMarket)
        #expect(refusal(history, 6, reason: " ")?.field == "reason")
        #expect(refusal(history, 6, reason: String(repeating: "x", count: 1001))?.field == "reason")
        #expect(try history.candles("1m") == before)
        for login in [TestServer.Login.trader, .reader] {
            let other = try history.database.connection(as: login)
            let error = #expect(throws: Rejection.self) { try other.bust(TradeID(6), of: "M", reason: "mine") }
            #expect(error?.code == .notPermitted)
        }
    }

    @Test func `a bust waits for matching, and sees what it wrote`() async throws {
        let history = try traded()
        let matcher = try history.database.connection()
        let minute = history.trades[12].time.rawValue
        try await withThrowingTaskGroup(of: Void.self) { group in
            // A batch under way: the market is locked, a trade of the same minute is not committed yet.
            try matcher.executeSimple("BEGIN; SELECT FROM pgbook_data.market_state FOR UPDATE")
            try matcher.execute(
                """
                INSERT INTO pgbook_data.trades (market, time, trade_id, price, amount, taker_side)
                VALUES (1, $1, 14, 50, 9, 0)
                """, PostgresTimestamp(microsecondsSinceUnixEpoch: minute + 1))
            try matcher.executeSimple(
                """
                UPDATE pgbook_data.candles_1m SET high = 50, close = 50, volume = volume + 9, notional = notional + 450,
                    trades = trades + 1, last_trade_id = 14, taker_buy_volume = taker_buy_volume + 9,
                    taker_buy_notional = taker_buy_notional + 450 WHERE first_trade_id = 11;
                UPDATE pgbook_data.market_state SET trade_id = 14
                """)
            let session = try history.database.session(as: .node)
            group.addTask {
                _ = try await session.run { try $0.bust(TradeID(12), of: "M", reason: "beside a batch").trade.rawValue }
            }
            try await eventually("the bust waits for the market") {
                try !history.connection.execute(
                    "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
                ).isEmpty
            }
            try matcher.executeSimple("COMMIT")
            try await group.waitForAll()
        }
        let last = try #require(try history.candles("1m").last)
        #expect(last.trades == 3 && last.close.rawValue == 50 && last.high.rawValue == 50 && last.volume == 7 + 7 + 9)
        #expect(try CandleVerification(history.connection).run(history.market).difference == nil)
    }
}
