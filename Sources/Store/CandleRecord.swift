public import OrderBook
public import Postgres

/// A row of the view `candles_1m`, of any interval: decimals.
public struct CandleRecord: Sendable, Hashable {
    /// When the bucket begins, UTC.
    public var time: Timestamp
    /// The prices are null only in a bucket without a trade, filled with zeros.
    public var open: PostgresNumeric?
    public var high: PostgresNumeric?
    public var low: PostgresNumeric?
    public var close: PostgresNumeric?
    /// In base units.
    public var volume: PostgresNumeric
    /// In quote units.
    public var quoteVolume: PostgresNumeric
    public var trades: Int64
    /// `quoteVolume / volume`, to 12 digits after the point; nil without a trade.
    public var vwap: PostgresNumeric?
    public var takerBuyVolume: PostgresNumeric
    public var takerBuyQuoteVolume: PostgresNumeric

    init(_ row: Row) throws(PostgresError) {
        var columns = row.reader()
        time = Timestamp(try columns.next(PostgresTimestamp.self))
        open = try columns.next()
        high = try columns.next()
        low = try columns.next()
        close = try columns.next()
        volume = try columns.next()
        quoteVolume = try columns.next()
        trades = try columns.next()
        vwap = try columns.next()
        takerBuyVolume = try columns.next()
        takerBuyQuoteVolume = try columns.next()
    }

    /// One JSON object with the names of the view's columns; numbers are exact.
    public var json: String {
        func number(_ value: PostgresNumeric?) -> String { value?.description ?? "null" }
        let time = PostgresTimestamp(microsecondsSinceUnixEpoch: time.rawValue).description
        return """
            {"time":"\(time)","open":\(number(open)),"high":\(number(high)),"low":\(number(low)),\
            "close":\(number(close)),"volume":\(number(volume)),"quote_volume":\(number(quoteVolume)),\
            "trades":\(trades),"vwap":\(number(vwap)),"taker_buy_volume":\(number(takerBuyVolume)),\
            "taker_buy_quote_volume":\(number(takerBuyQuoteVolume))}
            """
    }
}

/// What `bust` did.
public struct BustRecord: Sendable, Hashable {
    public var market: String
    public var trade: TradeID
    /// The trade's time.
    public var time: Timestamp
    public var bustedAt: Timestamp
    public var bustedBy: String
    public var reason: String
}

extension Connection {
    /// The candles whose bucket begins in the range, oldest first.
    /// - Parameters:
    ///   - from: the extremes stand for the beginning and the end of time.
    ///   - fill: `none`, `zero` or `previous`.
    /// - Throws: a `Rejection` where a value is not one.
    public func candles(
        _ market: String, interval: String, from: Timestamp, to: Timestamp, fill: String = "none", tz: String = "UTC"
    ) throws -> [CandleRecord] {
        try refusing { try execute(SQL.candles, market, interval, from.postgres, to.postgres, fill, tz) }
            .map { row in try CandleRecord(row) }
    }

    /// The latest candles, oldest first.
    /// - Throws: a `Rejection` where a value is not one.
    public func lastCandles(
        _ market: String, interval: String, count: Int32, fill: String = "none", tz: String = "UTC"
    ) throws -> [CandleRecord] {
        try refusing { try execute(SQL.lastCandles, market, interval, count, fill, tz) }
            .map { row in try CandleRecord(row) }
    }

    /// Marks a trade as busted and recomputes its candles.
    /// - Throws: a `Rejection` where there is no such trade, or it is busted already.
    public func bust(_ trade: TradeID, of market: String, reason: String) throws -> BustRecord {
        let row = try refusing { try execute(SQL.bustTrade, market, trade.rawValue, reason).one() }
        var columns = row.reader()
        return BustRecord(
            market: try columns.next(), trade: TradeID(try columns.next()),
            time: Timestamp(try columns.next(PostgresTimestamp.self)),
            bustedAt: Timestamp(try columns.next(PostgresTimestamp.self)), bustedBy: try columns.next(),
            reason: try columns.next())
    }

    /// What the interface refuses becomes a `Rejection`.
    func refusing<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as PostgresError {
            if let rejection = Rejection(error, role: user) { throw rejection }
            throw error
        }
    }
}

extension CandleRecord {
    /// A JSON array of candles: what `pgbook candles --json` prints and `/candles` answers.
    public static func json(_ candles: [CandleRecord]) -> String {
        "[" + candles.map(\.json).joined(separator: ",") + "]"
    }
}
