public import OrderBook
public import Postgres

/// A market's number in this database. Other nodes may number the same market differently.
public struct MarketNumber: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int16
    public init(rawValue: Int16) { self.rawValue = rawValue }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// A market's sizes and limits.
public struct Market: Hashable, Sendable {
    public var number: MarketNumber
    public var symbol: String
    /// Quote units per tick.
    public var tickSize: PostgresNumeric
    /// Base units per lot.
    public var lotSize: PostgresNumeric
    public var amountMax: AmountLots
    public var priceMin: PriceTicks
    public var priceMax: PriceTicks
    /// Largest price × amount of one limit order, in ticks × lots; nil: no limit.
    public var notionalMax: Notional?
}

extension Market {
    /// What the engine holds of them.
    public var limits: MarketLimits { MarketLimits(amountMax: amountMax, notionalMax: notionalMax) }

    /// A price in quote units.
    public func decimal(_ price: PriceTicks) -> PostgresNumeric {
        PostgresNumeric(unscaled: Int128(price.rawValue) * tickSize.unscaled, scale: tickSize.scale)
    }

    /// An amount in base units.
    public func decimal(_ amount: AmountLots) -> PostgresNumeric {
        PostgresNumeric(unscaled: Int128(amount.rawValue) * lotSize.unscaled, scale: lotSize.scale)
    }
}

extension Connection {
    /// All markets whose rows can be read, by symbol.
    public func markets() throws -> [Market] { try marketList().markets }
}

extension Market {
    /// Columns of markets.
    static func decode(_ columns: inout RowReader) throws -> Market {
        let market = Market(
            number: MarketNumber(rawValue: try columns.next()), symbol: try columns.next(),
            tickSize: try columns.next(), lotSize: try columns.next(), amountMax: AmountLots(try columns.next()),
            priceMin: PriceTicks(try columns.next()), priceMax: PriceTicks(try columns.next()),
            notionalMax: try columns.next(PostgresNumeric?.self).map { Notional(rawValue: $0.unscaled) })
        for (name, unit) in [("tick_size", market.tickSize), ("lot_size", market.lotSize)] {
            guard unit.unscaled > 0 else { throw StoreFault("\(name) \(unit) is not above zero") }
            // Every price and amount is a whole number of them.
            guard !unit.unscaled.multipliedReportingOverflow(by: Int128(Int64.max)).overflow else {
                throw StoreFault("\(name) \(unit) is too large to count in")
            }
        }
        return market
    }
}
