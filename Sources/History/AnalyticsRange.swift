public import OrderBook

/// The trades that analytics look at: those of a market in [from, to).
public struct AnalyticsRange: Sendable, Hashable {
    public var market: String
    public var from: Start
    /// Nil: just after the market's last trade.
    public var to: Timestamp?

    public enum Start: Sendable, Hashable {
        /// 24 hours before the end.
        case lastDay
        case beginning
        case time(Timestamp)
    }

    public init(market: String, from: Start = .lastDay, to: Timestamp? = nil) {
        self.market = market
        self.from = from
        self.to = to
    }

    /// As the SQL functions take it: nil is their default, the least time the beginning.
    var start: Timestamp? {
        switch from {
        case .lastDay: nil
        case .beginning: Timestamp(.min)
        case .time(let time): time
        }
    }
}

/// The buckets of a result with a row each; a bucket that the range cuts holds what is inside.
public struct AnalyticsBuckets: Sendable, Hashable {
    /// A candle's interval, unchecked: the function names those there are.
    public var interval: String
    /// Where days and longer buckets begin; nil is UTC.
    public var timeZone: String?

    public init(_ interval: String, timeZone: String? = nil) {
        self.interval = interval
        self.timeZone = timeZone
    }
}
