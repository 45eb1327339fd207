public import OrderBook
public import Store

/// Makes all candles of a market what its raw trades say, day by day, each in a transaction of its own.
///
/// It may be ended at any moment: the next one goes on with the day it was at. Candles of trades that were dropped stay.
/// Matching goes on beside it; only the market's latest day takes turns with it.
public struct CandleRebuild {
    public struct Report: Sendable {
        public var market: String
        public var days: Int = 0
        public var daysTotal: Int = 0
        /// The day at which an earlier rebuild had ended; nil if this one began at the beginning.
        public var resumedAt: Timestamp?
        /// Candles that were wrong, missing or too many, of all levels.
        public var changed: Int64 = 0
    }

    private let connection: StoreConnection
    private let onProgress: (Report) throws -> Void

    /// - Parameter onProgress: called before each day; what it throws ends the rebuild between two days.
    public init(_ connection: StoreConnection, onProgress: @escaping (Report) throws -> Void = { _ in }) {
        self.connection = connection
        self.onProgress = onProgress
    }

    /// - Parameter fromBeginning: though an earlier rebuild ended too early.
    public func run(_ market: Market, fromBeginning: Bool = false) throws -> Report {
        var report = Report(market: market.symbol)
        let days = try connection.daysToRebuild(market.number, fromBeginning: fromBeginning)
        let all = fromBeginning ? days.count : try connection.daysToRebuild(market.number, fromBeginning: true).count
        report.daysTotal = days.count
        if days.count < all { report.resumedAt = days.first }
        for day in days {
            try onProgress(report)
            report.changed += try connection.rebuildDay(market.number, day)
            report.days += 1
        }
        report.changed += try connection.endRebuild(market.number)
        _ = try connection.closeCandles(market.number)
        return report
    }
}
