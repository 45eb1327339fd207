public import OrderBook
public import Postgres

/// Which markets moved: hints for whoever listens, who then reads the tables.
public struct MarketNotices: Sendable {
    private var markets: [MarketNumber: (payload: String, traded: Bool)] = [:]

    public init() {}

    public var isEmpty: Bool { markets.isEmpty }

    /// - Parameter traded: whether there are new trades.
    public mutating func add(_ market: Market, at state: MarketState, traded: Bool) {
        let traded = traded || markets[market.number]?.traded ?? false
        markets[market.number] = (#"{"market":"\#(market.symbol)","seq":\#(state.seq.rawValue)}"#, traded)
    }

    var payloads: [String] { markets.values.map(\.payload) }
    var traded: [Bool] { markets.values.map(\.traded) }
}

extension Connection {
    /// Announces at once. What cannot be announced is found by whoever polls.
    public func announce(_ notices: MarketNotices) throws {
        do {
            try execute(SQL.notifyMarkets, notices.payloads, notices.traded)
        } catch {
            guard error.kind == .server, !isLost else { throw error }
        }
    }
}
