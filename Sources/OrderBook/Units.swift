/// A price as a whole number of the market's ticks.
public struct PriceTicks: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
    public init(_ rawValue: Int64) { self.rawValue = rawValue }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// An amount as a whole number of the market's lots.
public struct AmountLots: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
    public init(_ rawValue: Int64) { self.rawValue = rawValue }
    public static let zero = AmountLots(0)
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    public static func + (a: Self, b: Self) -> Self { Self(a.rawValue + b.rawValue) }
    public static func - (a: Self, b: Self) -> Self { Self(a.rawValue - b.rawValue) }
    public static func += (a: inout Self, b: Self) { a.rawValue += b.rawValue }
    public static func -= (a: inout Self, b: Self) { a.rawValue -= b.rawValue }
}

/// Price × amount, in ticks × lots. 128 bits, because the product of two 64-bit units must not overflow.
public struct Notional: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int128
    public init(rawValue: Int128) { self.rawValue = rawValue }
    public init(price: PriceTicks, amount: AmountLots) {
        rawValue = Int128(price.rawValue) * Int128(amount.rawValue)
    }
    public static let zero = Notional(rawValue: 0)
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    public static func + (a: Self, b: Self) -> Self { Self(rawValue: a.rawValue + b.rawValue) }
    public static func += (a: inout Self, b: Self) { a.rawValue += b.rawValue }
}

/// A market's execution number: 1, 2, 3 … one per executed command.
public struct Seq: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
    public init(_ rawValue: Int64) { self.rawValue = rawValue }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// A market's trade number: 1, 2, 3 … without gaps.
public struct TradeID: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
    public init(_ rawValue: Int64) { self.rawValue = rawValue }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// A point in time in microseconds since the Unix epoch, UTC.
public struct Timestamp: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
    public init(_ microsecondsSinceUnixEpoch: Int64) { rawValue = microsecondsSinceUnixEpoch }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
