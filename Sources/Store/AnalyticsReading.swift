public import OrderBook
public import Postgres

/// The analytics functions of the public SQL interface, by their names there.
public enum AnalyticsFunction: String, CaseIterable, Sendable {
    case ohlcv
    case vwap
    case twap
    case flow
    case volumeProfile = "volume_profile"
    case sizes
    case top
    case volatility
    case spread
    case markout
    case slippage
    case fills
    case latency

    var sql: String {
        switch self {
        case .ohlcv: SQL.analyzeOhlcv
        case .vwap: SQL.analyzeVwap
        case .twap: SQL.analyzeTwap
        case .flow: SQL.analyzeFlow
        case .volumeProfile: SQL.analyzeVolumeProfile
        case .sizes: SQL.analyzeSizes
        case .top: SQL.analyzeTop
        case .volatility: SQL.analyzeVolatility
        case .spread: SQL.analyzeSpread
        case .markout: SQL.analyzeMarkout
        case .slippage: SQL.analyzeSlippage
        case .fills: SQL.analyzeFills
        case .latency: SQL.analyzeLatency
        }
    }
}

extension Connection {
    /// Streams the rows of one of the analytics functions, each value as text.
    /// - Parameters:
    ///   - from: nil takes the function's default, the least time the market's beginning.
    ///   - to: nil takes the function's default.
    ///   - options: the function's other parameters in its order, as text; nil takes the default.
    /// - Throws: `Rejection` where the function refuses a parameter.
    @discardableResult
    public func streamAnalytics(
        _ function: AnalyticsFunction, market: String, from: Timestamp?, to: Timestamp?, options: [String?],
        columns: ([TextColumn]) throws -> Void, forEach body: ([String?]) throws -> Void
    ) throws -> Int {
        let range: [any PostgresEncodable] = [market, from?.postgres, to?.postgres]
        do {
            return try streamText(function.sql, with: range + options, columns: columns, forEach: body)
        } catch let error as PostgresError where !error.isMissingRight {
            if let rejection = Rejection(error, role: user) { throw rejection }
            throw error
        }
    }
}
