public import Postgres

/// Listens to channels. What it tells is only a hint that something may have changed: a lost one must cost no more than
/// a poll.
public struct Hints: Sendable {
    private let session: Session
    private let onFailure: @Sendable (any Error) -> Void

    /// - Parameter onFailure: told each time the database could not be reached.
    public init(
        _ configuration: ConnectionConfiguration, channels: [String],
        onFailure: @escaping @Sendable (any Error) -> Void
    ) {
        session = Session(configuration.settled(for: .serving)) { connection in
            for channel in channels { try connection.listen(channel) }
        }
        self.onFailure = onFailure
    }

    /// Calls `onHint` for each burst of notifications and after each new connection, until cancelled. Connects again
    /// where the connection is lost.
    public func run(onHint: @Sendable () -> Void) async throws {
        while !Task.isCancelled {
            try await session.connectWithBackoff { error, _ in onFailure(error) }
            onHint()
            do {
                try await listen(onHint)
            } catch let error as PostgresError {
                onFailure(error)
            }
        }
    }

    private func listen(_ onHint: @Sendable () -> Void) async throws {
        try await withTaskCancellationHandler {
            while !Task.isCancelled {
                let isHint = try await session.run { connection in
                    guard try connection.waitForNotification(timeout: .seconds(30)) != nil else { return false }
                    connection.discardNotifications()
                    return true
                }
                if isHint { onHint() }
            }
        } onCancel: {
            session.wake()
        }
    }
}
