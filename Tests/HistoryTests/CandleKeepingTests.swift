import History
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

private let day: Int64 = 86_400_000_000

/// Verification, rebuild and retention of candles.
@Suite struct CandleKeepingTests {
    /// Ten days from 2026-01-05 on, a trade each 40 minutes.
    private func traded() throws -> TradeHistory {
        let history = try TradeHistory()
        let begin = try TradeHistory.micros("2026-01-05")
        for index: Int64 in 0..<360 {
            history.add(
                begin + index * 2_400_000_000, price: 50 + index * 7 % 13, amount: 1 + index % 5,
                index % 3 == 0 ? .ask : .bid)
        }
        try history.save()
        try history.close()
        return history
    }

    private func difference(_ history: TradeHistory) throws -> CandleVerification.Difference? {
        try CandleVerification(history.connection).run(history.market).difference
    }

    @Test(arguments: [
        (
            "UPDATE pgbook_data.candles_1m SET high = high + 1 WHERE time = '2026-01-07 00:40Z'", "1m",
            "2026-01-07T00:40:00Z", "high"
        ),
        (
            "UPDATE pgbook_data.candles_1m SET taker_buy_volume = 99 WHERE time = '2026-01-07 00:40Z'", "1m",
            "2026-01-07T00:40:00Z", "taker_buy_volume"
        ),
        ("DELETE FROM pgbook_data.candles_1m WHERE time = '2026-01-05 00:00Z'", "1m", "2026-01-05T00:00:00Z", "row"),
        ("DELETE FROM pgbook_data.candles_1m WHERE time = '2026-01-14 23:20Z'", "1m", "2026-01-14T23:20:00Z", "row"),
        (
            "UPDATE pgbook_data.candles_1h SET close = close + 1 WHERE time = '2026-01-07 05:00Z'", "1h",
            "2026-01-07T05:00:00Z", "close"
        ),
        ("DELETE FROM pgbook_data.candles_1h WHERE time = '2026-01-14 22:00Z'", "1h", "2026-01-14T22:00:00Z", "row"),
        (
            "UPDATE pgbook_data.candles_1d SET notional = 0 WHERE time = '2026-01-13'", "1d", "2026-01-13T00:00:00Z",
            "notional"
        ),
        (
            "INSERT INTO pgbook_data.candles_1d SELECT time + interval '30 days', open, high, low, close, trades, first_trade_id, last_trade_id, market, volume, notional, taker_buy_volume, taker_buy_notional FROM pgbook_data.candles_1d WHERE time = '2026-01-13Z'",
            "1d", "2026-02-12T00:00:00Z", "row"
        ),
        (
            "INSERT INTO pgbook_data.candles_1h SELECT time - interval '300 days', open, high, low, close, trades, first_trade_id, last_trade_id, market, volume, notional, taker_buy_volume, taker_buy_notional FROM pgbook_data.candles_1d WHERE time = '2026-01-13Z'",
            "1h", "2025-03-19T00:00:00Z", "row"
        ),
        ("UPDATE pgbook_data.trades SET busted_at = now() WHERE trade_id = 37", "1m", "2026-01-06T00:00:00Z", "row"),
    ])
    func `the first difference is named by level, bucket and column, and a rebuild mends it`(
        sql: String, level: String, time: String, column: String
    ) throws {
        let history = try traded()
        #expect(try difference(history) == nil)
        try history.database.connection().executeSimple(sql)
        let found = try #require(try difference(history))
        #expect([found.level.rawValue, found.time.utc, found.column] == [level, time, column], "\(found)")
        let report = try CandleRebuild(history.connection).run(history.market)
        #expect(report.changed >= 1)
        #expect(report.days >= 10)
        #expect(try difference(history) == nil)
        #expect(try CandleRebuild(history.connection).run(history.market).changed == 0)
    }

    @Test func `a rebuild that ended too early goes on where it was, beside a market that is matched`() throws {
        struct Stop: Error {}
        let history = try traded()
        try history.database.connection().executeSimple("UPDATE pgbook_data.candles_1m SET low = 1")
        #expect(throws: Stop.self) {
            try CandleRebuild(history.connection) { if $0.days == 4 { throw Stop() } }.run(history.market)
        }
        // A batch is under way: older days do not wait for it.
        let matcher = try history.database.connection()
        try matcher.executeSimple("BEGIN; SELECT FROM pgbook_data.market_state FOR UPDATE")
        try history.connection.executeSimple("SET lock_timeout = '5s'")
        #expect(throws: Stop.self) {
            try CandleRebuild(history.connection) { if $0.days == 4 { throw Stop() } }.run(history.market)
        }
        try matcher.executeSimple("ROLLBACK")
        let report = try CandleRebuild(history.connection).run(history.market)
        #expect(report.resumedAt?.utc == "2026-01-13T00:00:00Z")
        #expect(try difference(history) == nil)
        #expect(try CandleRebuild(history.connection).run(history.market).resumedAt == nil)
    }

    @Test func `retention drops whole chunks and keeps candles, and nobody destroys or doubts these`() throws {
        let history = try traded()
        let before = try CandleInterval.allCases.filter { $0 != .second }.map { try history.candles($0.rawValue) }
        let limit = Timestamp(try TradeHistory.micros("2026-01-09 12:00"))
        let planned = try history.connection.tradeChunks(before: limit)
        #expect(planned.map(\.trades) == [36, 36, 36, 36])
        #expect(try history.connection.dropTrades(before: limit) == planned)
        #expect(try history.connection.execute("SELECT FROM pgbook.trades").count == 216)
        let after = try CandleInterval.allCases.filter { $0 != .second }.map { try history.candles($0.rawValue) }
        #expect(after == before)

        let report = try CandleVerification(history.connection).run(history.market)
        #expect(report.difference == nil, "\(String(describing: report.difference))")
        #expect(report.horizon?.utc == "2026-01-09T00:00:00Z" && report.uncheckedMinutes == 144 && report.trades == 216)
        #expect(try CandleRebuild(history.connection).run(history.market).changed == 0)
        // Hours and days of the dropped time are still proved by its minutes.
        try history.database.connection().executeSimple(
            "UPDATE pgbook_data.candles_1h SET low = 1 WHERE time = '2026-01-06 05:00Z'")
        #expect(try difference(history)?.level == .hour)
        #expect(try CandleRebuild(history.connection).run(history.market).changed == 1)
        #expect(throws: Rejection.self) { try history.connection.bust(TradeID(5), of: "M", reason: "too late") }
        #expect(try history.connection.dropTrades(before: limit).isEmpty)
    }

    @Test func `trades are not dropped while somebody compares them`() async throws {
        let history = try traded()
        let other = try history.database.connection(as: .node)
        try other.executeSimple("SET lock_timeout = '50ms'")
        try history.connection.readHoldingTrades { connection in
            // The lock comes before the moment that is seen: what has happened in between is seen.
            try other.executeSimple("UPDATE pgbook_data.trade_horizon SET dropped_before = '2001-01-01 00:00Z'")
            #expect(try connection.tradeHorizon().utc == "2001-01-01T00:00:00Z")
            #expect(throws: PostgresError.self) { try other.dropTrades(before: Timestamp(Int64.max)) }
        }
        #expect(try other.dropTrades(before: Timestamp(Int64.max)).count == 10)
    }

    @Test func `a chunk that somebody reads keeps nobody waiting, and the reader is named`() throws {
        let history = try traded()
        let reader = try history.database.connection(as: .reader)
        try reader.executeSimple("BEGIN; SELECT count(*) FROM pgbook.trades")
        var told: [String] = []
        let error = #expect(throws: StoreError.self) {
            try history.connection.dropTrades(before: Timestamp(Int64.max), patience: .milliseconds(200)) {
                told.append($0)
            }
        }
        #expect(error?.kind == .busy)
        for line in told + [error?.message ?? ""] { #expect(line.contains("\(reader.serverProcessID)"), "\(line)") }
        #expect(told.count == 1)
        try reader.executeSimple("ROLLBACK")
        let dropped = try history.connection.dropTrades(before: Timestamp(Int64.max), patience: .zero) { _ in }
        #expect(dropped.count == 10)
    }

    @Test func `the chunks' size is a setting, of hours or days`() throws {
        let history = try traded()
        try history.connection.setTradeChunk(seconds: 12 * 3600)
        let first = try #require(history.trades.last).time.rawValue + day
        for half: Int64 in 0..<4 { history.add(first + half * day / 2, price: 5, amount: 1) }
        try history.save()
        let spans = try StoredMarket(history.connection, market: history.market).tradeSpans(after: Timestamp(first))
        #expect(spans.count == 4)
        for span in spans { #expect(span.upperBound.rawValue - span.lowerBound.rawValue == day / 2) }
        for seconds: Int64 in [0, 1, 3599, 5 * 3600, 36 * 3600, 400 * 86_400] {
            #expect(throws: Rejection.self, "\(seconds)") { try history.connection.setTradeChunk(seconds: seconds) }
        }
    }

    @Test func `only the chunks of the range are planned`() throws {
        let history = try TradeHistory()
        let begin = try TradeHistory.micros("2026-01-05")
        for index: Int64 in 0..<60 { history.add(begin + index * day + 1, price: 5, amount: 1) }
        try history.save()
        let admin = try history.database.connection()
        // What is locked was planned.
        func chunksLocked(_ sql: String) throws -> Int64 {
            try admin.executeSimple("BEGIN; \(sql)")
            defer { _ = try? admin.executeSimple("ROLLBACK") }
            return try admin.execute(
                """
                SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                WHERE l.pid = pg_backend_pid() AND c.relname ~ '^_hyper_.*_chunk$'
                """
            ).one().decode(at: 0)
        }
        for sql in [
            "SELECT FROM pgbook.candles('M', '1s', '2026-01-20', '2026-01-21')",
            "SELECT FROM pgbook.candles('M', '1s', '2026-01-20', '2026-01-21', 'previous')",
            "SELECT pgbook_data.rebuild_day(1::smallint, '2026-01-20Z')", "SELECT FROM pgbook.bust_trade('M', 16, 'x')",
        ] {
            #expect((1...2).contains(try chunksLocked(sql)), "\(sql)")
        }
        #expect(try chunksLocked("SELECT FROM pgbook.candles('M', '1m', '-infinity', 'infinity')") == 0)
    }
}
