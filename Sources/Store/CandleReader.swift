public import OrderBook
public import Postgres

/// Reads candles for a server's clients, one request after another, on a connection of its own.
public struct CandleReader: Sendable {
    private let session: Session

    /// - Parameter millisecondsMax: how long one request may take in the database.
    public init(_ configuration: StoreConfiguration, millisecondsMax: Int32) {
        session = Session(
            configuration.settled(for: .serving, except: ["statement_timeout": "\(millisecondsMax)ms"]))
    }

    /// Candles whose bucket begins in a range; without one, the latest.
    /// - Parameter count: at most so many: the first of a range.
    /// - Throws: a `Rejection` where a value is not one; a `PostgresError` where the database cannot be asked, or takes
    ///   too long.
    public func candles(
        _ market: String, interval: String, range: Range<Timestamp>?, fill: String, count: Int
    ) async throws -> [CandleRecord] {
        try await session.run { connection in
            guard let range else {
                return try connection.lastCandles(market, interval: interval, count: Int32(count), fill: fill)
            }
            return Array(
                try connection.candles(
                    market, interval: interval, from: range.lowerBound, to: range.upperBound, fill: fill
                ).prefix(count))
        }
    }
}
