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
        guard market.isWithinBounds else {
            throw StoreFault("market \(market.symbol) has sizes or limits beyond what this program counts with")
        }
        return market
    }

    /// Whether all that follows from its sizes and limits fits; the table's constraints say the same.
    private var isWithinBounds: Bool {
        let digits = Bounds.unitDigits
        return Bounds.isSymbol(symbol) && digits.contains(tickSize.unscaled) && digits.contains(lotSize.unscaled)
            && tickSize.scale <= Bounds.unitDigitsMax && lotSize.scale <= Bounds.unitDigitsMax
            && (1...Bounds.amountMax).contains(amountMax.rawValue)
            && (1...Bounds.priceMax).contains(priceMin.rawValue) && (1...Bounds.priceMax).contains(priceMax.rawValue)
            && excess(ofTrade: amountMax, at: priceMax) == nil
    }

    /// Why a trade cannot be counted with, for a person; nil where it can.
    public func excess(ofTrade amount: AmountLots, at price: PriceTicks) -> String? {
        if amount.rawValue > Bounds.amountMax {
            return "amount \(decimal(amount)) is too large; the largest is \(decimal(AmountLots(Bounds.amountMax)))"
        }
        if price.rawValue > Bounds.priceMax {
            return "price \(decimal(price)) is too large; the highest is \(decimal(PriceTicks(Bounds.priceMax)))"
        }
        // Up to 72 digits: each step is held within the bound.
        var value = Int128(price.rawValue) * Int128(amount.rawValue)
        for unit in [tickSize.unscaled, lotSize.unscaled] {
            let (product, overflow) = value.multipliedReportingOverflow(by: unit)
            guard !overflow, product <= Bounds.valueMax else {
                let largest = PostgresNumeric(
                    unscaled: Bounds.valueMax, scale: tickSize.scale + lotSize.scale)
                return "amount \(decimal(amount)) at price \(decimal(price)) is worth too much; the most is \(largest)"
            }
            value = product
        }
        return nil
    }
}
