public import OrderBook
public import Postgres

/// A market as exports need it: what turns ticks and lots into decimals, and where its trades begin and end.
public struct MarketHistory: Hashable, Sendable {
    public var number: MarketNumber
    public var symbol: String
    /// Quote units per tick.
    public var tickSize: PostgresNumeric
    /// Base units per lot.
    public var lotSize: PostgresNumeric
    /// Whether its trades come from elsewhere.
    public var isImported: Bool
    /// The latest command time executed; nil before the first.
    public var clock: Timestamp?
    /// All trades lie in [from, to); nil where there are none.
    public var span: (from: Timestamp, to: Timestamp)? {
        guard let firstMinute, let lastMinute else { return nil }
        return (firstMinute, lastMinute + Candle.minute)
    }

    private var firstMinute: Timestamp?
    private var lastMinute: Timestamp?

    init(_ row: Row) throws(PostgresError) {
        var columns = row.reader()
        number = MarketNumber(rawValue: try columns.next())
        symbol = try columns.next()
        tickSize = try columns.next()
        lotSize = try columns.next()
        isImported = try columns.next()
        clock = try columns.nextTime().flatMap { $0.postgres.isFinite ? $0 : nil }
        firstMinute = try columns.nextTime()
        lastMinute = try columns.nextTime()
    }
}

extension Connection {
    /// All markets in the order of their symbols' bytes, or the named one.
    public func marketHistories(named symbol: String? = nil) throws -> [MarketHistory] {
        try execute(SQL.exportMarkets, symbol).map { try MarketHistory($0) }
    }

    /// About how many trades there are in a range.
    public func countTrades(_ symbol: String, from: Timestamp, to: Timestamp) throws -> Int {
        Int(try execute(SQL.countTrades, symbol, from.postgres, to.postgres).one().decode(Int64.self, at: 0))
    }

    /// A market's trades in [from, to) by time and id, as binary COPY sends them: time, trade_id, price in ticks, amount
    /// in lots, taker's side, maker's order, taker's order.
    /// - Parameters:
    ///   - onBlock: called on this thread after each block; throwing ends it.
    ///   - consume: called on another thread with blocks of whole rows, in order.
    /// - Returns: rows sent.
    @discardableResult
    public func copyTrades(
        _ market: MarketNumber, from: Timestamp, to: Timestamp, latestFirst: Bool = false,
        onBlock: () throws -> Void = {}, consumeOnThread consume: @escaping @Sendable ([UInt8]) throws -> Void
    ) throws -> Int {
        let sql = latestFirst ? SQL.exportTradesLatestFirst : SQL.exportTrades
        return try copyOut(
            sql.inlining(.number(Int64(market.rawValue)), .time(from), .time(to)), onBlock: { _ in try onBlock() },
            consumeOnThread: consume)
    }
}

extension Connection {
    /// The candles whose bucket begins in [from, to), one by one as they arrive.
    /// - Parameter fill: `none`, `zero` or `previous`, as in `pgbook.candles`.
    public func streamCandles(
        _ symbol: String, _ interval: String, from: Timestamp, to: Timestamp, fill: String, latestFirst: Bool,
        forEach body: (CandleRecord) throws -> Void
    ) throws {
        let sql = latestFirst ? SQL.exportCandlesLatestFirst : SQL.exportCandles
        try stream(sql, symbol, interval, from.postgres, to.postgres, fill) { try body(CandleRecord($0)) }
    }

    /// When the bucket begins that may still change.
    public func candlesClosedUntil(_ symbol: String, _ interval: String) throws -> Timestamp? {
        let time = try execute(SQL.candlesClosedUntil, symbol, interval).one().decode(PostgresTimestamp?.self, at: 0)
        return time.map { Timestamp($0) }
    }

    /// The first and last trade of candles.
    public func candleTrades(
        _ symbol: String, _ interval: String, from: Timestamp, to: Timestamp
    ) throws -> (first: Int64?, last: Int64?) {
        let row = try execute(SQL.candleTradeIds, symbol, interval, from.postgres, to.postgres).one()
        return (try row.decode(Int64?.self, at: 0), try row.decode(Int64?.self, at: 1))
    }

    /// Orders entered in [from, to) by time, one by one as they arrive.
    public func streamOrders(
        _ symbol: String?, from: Timestamp?, to: Timestamp?, latestFirst: Bool,
        forEach body: (OrderRecord) throws -> Void
    ) throws {
        let sql = latestFirst ? SQL.exportOrdersLatestFirst : SQL.exportOrders
        try stream(
            sql, symbol, from?.postgres ?? .negativeInfinity, to?.postgres ?? .infinity
        ) { try body(OrderRecord($0)) }
    }
}
