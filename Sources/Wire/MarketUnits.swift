public import OrderBook

/// A market's tick and lot size: the bridge between decimals on the wire and whole units in the rows.
public struct MarketUnits: Hashable, Sendable {
    /// What one `PriceTicks` is worth.
    public let tick: ExactDecimal
    /// What one `AmountLots` holds.
    public let lot: ExactDecimal

    /// What a `Notional` of 1 is worth: tick × lot, of `tick.scale + lot.scale` decimals.
    private let totalUnscaled: Int128

    /// Nil unless both are above zero and have at most 18 digits, so that no product of a unit and a count overflows.
    public init?(tick: ExactDecimal, lot: ExactDecimal) {
        guard Bounds.unitDigits.contains(tick.unscaled), Bounds.unitDigits.contains(lot.unscaled) else { return nil }
        self.tick = tick
        self.lot = lot
        totalUnscaled = tick.unscaled * lot.unscaled
    }

    /// The amount as a decimal.
    public func decimal(_ amount: AmountLots) -> ExactDecimal {
        ExactDecimal(reducing: Int128(amount.rawValue) * lot.unscaled, scale: lot.scale)
    }

    /// - Throws: `off_tick`, `not_positive` or `too_large`, naming the price.
    public func ticks(of price: ExactDecimal) throws(WireError) -> PriceTicks {
        PriceTicks(try Self.count(of: tick, in: price, field: "price", offCode: .offTick, unitName: "tick"))
    }

    /// - Throws: `off_lot`, `not_positive` or `too_large`, naming the amount.
    public func lots(of amount: ExactDecimal) throws(WireError) -> AmountLots {
        AmountLots(try Self.count(of: lot, in: amount, field: "amount", offCode: .offLot, unitName: "lot"))
    }

    private static func count(
        of unit: ExactDecimal, in value: ExactDecimal, field: String, offCode: OutcomeCode, unitName: String
    ) throws(WireError) -> Int64 {
        guard value.unscaled > 0 else {
            throw WireError(.init(.notPositive), "\(field) \(value) must be above zero", field: field)
        }
        let off = WireError(
            .init(offCode), "\(field) \(value) is not a whole number of \(unitName)s of \(unit)", field: field)
        // In lowest terms, a number with more decimals than the unit cannot be a multiple of it.
        guard value.scale <= unit.scale else { throw off }
        let factor = ExactDecimal.powerOfTen(unit.scale - value.scale)
        let (numerator, overflow) = value.unscaled.multipliedReportingOverflow(by: factor)
        guard !overflow, numerator / unit.unscaled <= Int128(Int64.max) else {
            throw WireError(.init(.tooLarge), "\(field) \(value) is more than can be stored", field: field)
        }
        guard numerator % unit.unscaled == 0 else { throw off }
        return Int64(numerator / unit.unscaled)
    }

    /// Appends a price as an exact decimal.
    public func append(_ price: PriceTicks, to bytes: inout [UInt8]) {
        DecimalText.append(Int128(price.rawValue), times: tick.unscaled, scale: tick.scale, to: &bytes)
    }

    /// Appends an amount as an exact decimal.
    public func append(_ amount: AmountLots, to bytes: inout [UInt8]) {
        DecimalText.append(Int128(amount.rawValue), times: lot.unscaled, scale: lot.scale, to: &bytes)
    }

    /// Appends price × amount as an exact decimal.
    public func append(_ total: Notional, to bytes: inout [UInt8]) {
        DecimalText.append(total.rawValue, times: totalUnscaled, scale: tick.scale + lot.scale, to: &bytes)
    }
}
