public import OrderBook

/// What a node's clocks show. The machine itself has none.
public struct Instant: Hashable, Sendable {
    /// The wall clock: what stamps are made of. It may be wrong, and it may be set.
    public var wall: Timestamp
    /// Microseconds of a clock that only goes forward: what timeouts are measured by.
    public var uptime: Int64

    public init(wall: Timestamp, uptime: Int64) {
        self.wall = wall
        self.uptime = uptime
    }
}
