public import Logging
import OrderBook
public import Store

/// Closes the hours and days of all markets, about once a minute, for as long as it runs.
///
/// Nothing depends on it: whoever asks for candles composes what is not closed. It makes that cheap.
public struct CandleClosing: Sendable {
    /// Between two rounds.
    static let pause = Duration.seconds(60)
    /// Hours of one market closed in one transaction: a day of minutes is read at once, no more.
    static let hoursMax: Int32 = 24
    /// Transactions of one market in one round; what is left waits for the next.
    static let stepsMax = 50

    private let logger: Logger

    public init(logger: Logger) { self.logger = logger }

    /// Runs until the task is cancelled. A failure is logged, and tried again after a pause.
    public func run(database: StoreConfiguration) async {
        while !Task.isCancelled {
            await round(database)
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// With a connection of its own, so that none is held between rounds.
    private func round(_ database: StoreConfiguration) async {
        do {
            let logger = logger
            let hours = try await database.once(for: .working) { connection in
                try Self.closeAll(connection) { market, error in
                    logger.warning(
                        "closing the candles of a market failed; the others go on",
                        metadata: ["market": "\(market.symbol)", "reason": "\(error)"])
                }
            }
            if hours > 0 { logger.debug("closed candles", metadata: ["hours": "\(hours)"]) }
        } catch is CancellationError {
        } catch {
            logger.warning("closing candles failed", metadata: ["reason": "\(error)"])
        }
    }

    /// - Parameter onFailure: told what went wrong with one market alone.
    /// - Returns: how many hours were closed.
    static func closeAll(
        _ connection: StoreConnection, onFailure: (Market, any Error) -> Void = { _, _ in }
    ) throws -> Int64 {
        var hours: Int64 = 0
        for market in try connection.markets() {
            do {
                hours += try close(market, connection)
            } catch {
                guard connection.isUsable, !(error is CancellationError), !Task.isCancelled else { throw error }
                onFailure(market, error)
            }
        }
        return hours
    }

    private static func close(_ market: Market, _ connection: StoreConnection) throws -> Int64 {
        var hours: Int64 = 0
        for _ in 0..<stepsMax {
            try Task.checkCancellation()
            let closed = try connection.closeCandles(market.number, hoursMax: hoursMax)
            hours += closed
            if closed < Int64(hoursMax) { break }
        }
        return hours
    }
}
