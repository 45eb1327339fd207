public import Store

/// One of the analytics, with what it takes besides the range: each is the SQL function of its name.
///
/// Of all of them: ranges are half-open, busted trades are left out, sums are exact in ticks and lots, and a quotient is
/// rounded once, half away from zero, to the digits told. Prices are in quote units, amounts in base units.
public enum Statistic: Sendable, Hashable {
    /// Open, high, low, close and volumes. Open and close are those of the first and the last trade by number.
    case ohlcv(AnalyticsBuckets?)
    /// Volume-weighted average price, Σ price·amount / Σ amount, to 12 digits (Berkowitz, Logue, Noser 1988).
    case vwap(AnalyticsBuckets?)
    /// Time-weighted average price, Σ price·held / Σ held, to 12 digits: the last price counts for the time it held
    /// inside the range; the last one before the range holds at its beginning.
    case twap(AnalyticsBuckets?)
    /// (taker buys − taker sells) / volume, −1 to 1, to 12 digits (Chordia, Roll, Subrahmanyam 2002).
    case flow(AnalyticsBuckets?)
    /// Volume by price in at most so many bins of equally many ticks, with the point of control (the fullest bin) and
    /// the value area: from there the larger neighbour is added until 70 % are inside (Steidlmayer, CBOT Market
    /// Profile, 1984).
    case volumeProfile(bins: Int)
    /// Amounts of trades in bins of 2^k lots, and the amounts that 50, 90 and 99 % of the trades do not exceed.
    case sizes
    /// The users with the largest volume, and the share that they made rather than took.
    case top(users: Int)
    /// Standard deviation of returns per interval, as a fraction to 12 digits. Close to close: √(Σ(r − mean)² / (n − 1))
    /// of n returns r = ln(close / close before). Parkinson (1980): √(Σ ln(high / low)² / (4 ln 2 · intervals)). An
    /// interval without a trade has return and span 0. Annualised: times √(intervals in 365 days).
    case volatility(interval: String, AnalyticsBuckets?, isAnnualised: Bool)
    /// Spreads weighted by amount, in price to 12 digits and in basis points of the mid to 6 (Huang, Stoll 1996): quoted
    /// = ask − bid, effective = 2·side·(price − mid), realised = 2·side·(price − mid a horizon later); side is 1 where
    /// the taker bought, −1 where it sold.
    case spread(horizonMicroseconds: Int64, AnalyticsBuckets?)
    /// What takers gained after their trades, per horizon: Σ amount·side·(m − price) / Σ amount, to 12 digits, and over
    /// Σ amount·price in basis points to 6, where m is the mid or the last price a horizon later (Conrad, Wahal 2020).
    case markout(horizonsMicroseconds: [Int64], against: MarkoutReference, AnalyticsBuckets?)
    /// Per execution of a taker order: side·(average price − reference) / reference in basis points to 6 digits, against
    /// the mid and the touch just before its first match (Perold 1988). Above zero is a cost.
    case slippage
    /// Orders of the range that traded, were filled or cancelled by its end, and microseconds to the first fill.
    case fills(AnalyticsBuckets?)
    /// Microseconds from accepted to executed of commands that waited; those executed at once are counted.
    case latency(AnalyticsBuckets?)

    /// What it is called in SQL.
    public var function: AnalyticsFunction {
        switch self {
        case .ohlcv: .ohlcv
        case .vwap: .vwap
        case .twap: .twap
        case .flow: .flow
        case .volumeProfile: .volumeProfile
        case .sizes: .sizes
        case .top: .top
        case .volatility: .volatility
        case .spread: .spread
        case .markout: .markout
        case .slippage: .slippage
        case .fills: .fills
        case .latency: .latency
        }
    }

    /// Its parameters after the range.
    var options: [String?] {
        switch self {
        case .ohlcv(let buckets), .vwap(let buckets), .twap(let buckets), .flow(let buckets), .fills(let buckets),
            .latency(let buckets):
            [buckets?.interval, buckets?.timeZone]
        case .volumeProfile(let bins): ["\(bins)"]
        case .sizes, .slippage: []
        case .top(let users): ["\(users)"]
        case .volatility(let interval, let buckets, let isAnnualised):
            [interval, buckets?.interval, isAnnualised ? "true" : "false", buckets?.timeZone]
        case .spread(let horizon, let buckets): ["\(horizon) microseconds", buckets?.interval, buckets?.timeZone]
        case .markout(let horizons, let reference, let buckets):
            [
                "{" + horizons.map { "\($0) microseconds" }.joined(separator: ",") + "}", reference.rawValue,
                buckets?.interval, buckets?.timeZone,
            ]
        }
    }
}

/// What a markout compares a trade's price with.
public enum MarkoutReference: String, Sendable, CaseIterable {
    /// The mid of the first trade in [t + horizon, t + 2·horizon).
    case mid
    /// The price of the last trade at t + horizon or before.
    case last
}
