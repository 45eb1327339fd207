public import OrderBook
import Postgres

/// Gives stamps by the database's clock without asking it each time.
///
/// Stamps rise, and begin above all that the database gave before; `pgbook_data.move_markets` tells it how far they got.
public struct StampClock: Sendable {
    /// The database's clock minus this machine's, in microseconds.
    private let offset: Int64
    /// The latest stamp given.
    public private(set) var last: Timestamp

    /// - Parameters:
    ///   - now: the database's time, read just now.
    ///   - last: the latest stamp given in the database.
    public init(now: Timestamp, last: Timestamp) {
        offset = now.rawValue - PostgresTimestamp.now().microsecondsSinceUnixEpoch
        self.last = last
    }

    /// Stamps in a row; returns the first.
    public mutating func take(_ count: Int) -> Timestamp {
        let first = max(last.rawValue + 1, PostgresTimestamp.now().microsecondsSinceUnixEpoch + offset)
        last = Timestamp(first + Int64(count) - 1)
        return Timestamp(first)
    }
}
