/// What one order of a market may come to, whatever road its commands take.
///
/// They are part of the rules by which a log is replayed, so they never change once a market has commands. The band of
/// prices is not among them: every command tells its price, so an entrance can hold it alone.
public struct MarketLimits: Hashable, Sendable {
    /// Largest amount of one order, filled and dropped lots included.
    public var amountMax: AmountLots
    /// Largest price × amount of one limit order; nil: no limit.
    public var notionalMax: Notional?

    public init(amountMax: AmountLots, notionalMax: Notional?) {
        self.amountMax = amountMax
        self.notionalMax = notionalMax
    }

    public static let none = MarketLimits(amountMax: AmountLots(.max), notionalMax: nil)

    /// Whether an order of an amount at a price, nil for a market order, is within them.
    func allows(_ amount: AmountLots, at price: PriceTicks?) -> Bool {
        guard amount <= amountMax else { return false }
        guard let price, let notionalMax else { return true }
        return Notional(price: price, amount: amount) <= notionalMax
    }
}
