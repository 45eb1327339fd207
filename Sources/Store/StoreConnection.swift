public import Postgres

/// A connection, for modules that speak to the database through this one alone.
public typealias StoreConnection = Connection
/// Where and how to connect.
public typealias StoreConfiguration = ConnectionConfiguration
/// A column of a result that comes as text.
public typealias StoreColumn = TextColumn

extension Connection {
    /// Undoes the transaction that is open, if one is.
    public func rollBack() { rollback() }

    /// Runs a body that sees the database as it is at one moment, and writes nothing.
    public func readAtOneMoment<R>(_ body: (Connection) throws -> R) throws -> R {
        try transaction("isolation level repeatable read, read only", body)
    }
}

extension ConnectionConfiguration {
    /// Runs a body on a connection that is made for it and closed after it, on a thread of its own.
    public func once<R: Sendable>(
        for purpose: SessionPurpose, _ body: @escaping @Sendable (Connection) throws -> R
    ) async throws -> R {
        try await Session(settled(for: purpose)).run(body)
    }

    /// Runs a body that executes for ever on a connection of its own, and runs it again on a new connection whenever it
    /// failed, until the task is cancelled.
    /// - Parameters:
    ///   - waitMax: the longest pause after a failure.
    ///   - onFailure: told each failure and the wait that follows.
    public func keepRunning(
        waitMax: Duration = .seconds(5), onFailure: (any Error, Duration) -> Void, _ body: @Sendable (Connection) throws -> Void
    ) async {
        let session = Session(settled(for: .matching))
        var backoff = Backoff(most: waitMax)
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            let begun = ContinuousClock.now
            do {
                try await session.run(body)
            } catch is CancellationError {
                return
            } catch {
                // Whatever ran well for a while deserves a quick second try.
                if ContinuousClock.now - begun > .seconds(10) { backoff.reset() }
                let wait = backoff.next(using: &generator)
                onFailure(error, wait)
                try? await Task.sleep(for: wait)
            }
        }
    }
}

extension Connection {
    /// Runs a body whose writes all take place, or none.
    public func atomically<R>(_ body: (Connection) throws -> R) throws -> R { try transaction("", body) }
}
