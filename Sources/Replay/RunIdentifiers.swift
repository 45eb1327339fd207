public import OrderBook

/// The ids of the commands of one replay: the same for the same run, and different from those of any other.
///
/// They are UUIDs of version 8. The first word is the run's, the second counts.
public struct RunIdentifiers: Hashable, Sendable {
    private let high: UInt64
    private var count = 0
    private static let variant: UInt64 = 0x8000_0000_0000_0000

    /// - Parameter run: tells replays into one database apart. Its bits 12 to 15 are not used.
    public init(run: UInt64) { high = run & ~0xf000 | 0x8000 }

    public mutating func next() -> OrderID {
        count += 1
        return OrderID(high: high, low: Self.variant | UInt64(count))
    }

    /// An id that no command of the run bears: the target of a cancel of something that never was.
    public var absent: OrderID { OrderID(high: high, low: Self.variant) }

    /// The position among the run's ids, from 1; nil for an id that is not of this run.
    public func number(of id: OrderID) -> Int? {
        guard id.high == high, id.low > Self.variant else { return nil }
        return Int(exactly: id.low - Self.variant)
    }
}
