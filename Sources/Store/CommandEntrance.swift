public import Postgres

/// Enters commands of many users over one session of the node's role.
public struct CommandEntrance: Sendable {
    private let session: Session

    /// Connects at the first command.
    public init(_ configuration: ConnectionConfiguration) { session = Session(configuration) }

    /// Why commands could not be entered.
    public enum Failure: Error, Sendable {
        /// The statement failed, and stored nothing.
        case refused(String)
        /// The database could not be reached or was lost on the way. Entering the same commands again is safe if they
        /// bring their ids.
        case unreachable(String)
    }

    /// Enters all commands with one statement, in order.
    public func enter(_ entries: [Entry]) async throws -> [Admission] {
        do {
            return try await session.run { connection in try connection.enter(entries) }
        } catch let error as PostgresError {
            throw error.isOfServerState ? Failure.unreachable(error.message) : Failure.refused(error.message)
        }
    }
}

extension PostgresError {
    /// Not the statement's fault: the connection is gone, or the server is starting, stopping or full.
    var isOfServerState: Bool {
        kind != .server || sqlState?.errorClass == "57" || sqlState?.errorClass == "53"
    }
}
