public import OrderBook
import Postgres

/// Gives stamps by the database's clock without asking it each time.
///
/// Stamps rise, and begin above all that were given before.
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
        noted = last
    }

    /// Up to where the database knows the stamps.
    private var noted: Timestamp
    /// So many microseconds the database may be behind. Only where its clock is set back does it matter.
    private static let notedBehind: Int64 = 100_000

    /// The latest stamp, if it is time that the database hears of it.
    public mutating func unnoted() -> Timestamp? {
        guard last.rawValue >= noted.rawValue + Self.notedBehind else { return nil }
        noted = last
        return last
    }

    /// Stamps in a row; returns the first.
    public mutating func take(_ count: Int) -> Timestamp {
        // Stamps lie within the bounds, which end long before 64 bits do.
        let first = max(last.rawValue + 1, PostgresTimestamp.now().microsecondsSinceUnixEpoch + offset)
        last = Timestamp(first + Int64(count) - 1)
        return Timestamp(first)
    }
}
