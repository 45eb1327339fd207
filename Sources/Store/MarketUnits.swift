public import OrderBook
public import Postgres

extension Market {
    /// A price in ticks; nil where it is not a whole positive number of them that fits.
    public func ticks(_ price: StoreDecimal) -> PriceTicks? { wholes(of: tickSize, in: price).map { PriceTicks($0) } }

    /// An amount in lots; nil where it is not a whole positive number of them that fits.
    public func lots(_ amount: StoreDecimal) -> AmountLots? { wholes(of: lotSize, in: amount).map { AmountLots($0) } }
}

/// How many times a unit fits into a value without a rest.
private func wholes(of unit: PostgresNumeric, in value: PostgresNumeric) -> Int64? {
    guard value.unscaled > 0 else { return nil }
    let scale = max(unit.scale, value.scale)
    guard let value = value.unscaled(at: scale), let unit = unit.unscaled(at: scale) else { return nil }
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: unit)
    return remainder == 0 ? Int64(exactly: quotient) : nil
}

extension PostgresNumeric {
    fileprivate func unscaled(at scale: Int) -> Int128? {
        var value = unscaled
        for _ in self.scale..<scale {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            value = product
        }
        return value
    }
}
