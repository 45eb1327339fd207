public import Postgres
internal import Synchronization

/// Enters commands over one session of the node's role, for whichever matcher takes them.
public final class LoggedEntrance: CommandEntrance {
    private struct Line {
        var last: UInt64 = 0
        /// Calls up to this one stood in line when the connection was lost.
        var lostThrough: UInt64 = 0
    }

    private let session: Session
    private let line = Mutex(Line())

    /// How long one command may keep the others waiting for a lock that another session holds, and how often commands of
    /// one call may.
    private static let lockWait = Duration.milliseconds(20)
    private static let lockWaitsMax = 20

    /// Connects at the first command.
    public init(_ configuration: ConnectionConfiguration) {
        session = Session(configuration.settled(for: .entering)) { try $0.limitLockWaits(Self.lockWait) }
    }

    public func submit(
        _ entries: [Entry], answer: @escaping @Sendable (Result<EntranceAnswer, EntranceFailure>) -> Void
    ) {
        let number = line.withLock { line in
            line.last += 1
            return line.last
        }
        session.submit { [self] connection in
            guard line.withLock({ number > $0.lostThrough }) else {
                throw EntranceFailure.unreachable("the connection was lost while these commands stood in line")
            }
            let admissions = try connection.enterAround(entries, waitsMax: Self.lockWaitsMax)
            return EntranceAnswer(admissions.map { Receipt($0) })
        } answer: { [self] result in
            answer(result.mapError { failure($0) })
        }
    }

    /// Called on the session's thread, before the next in line is tried.
    private func failure(_ error: any Error) -> EntranceFailure {
        if let failure = error as? EntranceFailure { return failure }
        if let error = error as? PostgresError, !error.isOfServerState { return .refused(error.message) }
        line.withLock { $0.lostThrough = $0.last }
        return .unreachable((error as? PostgresError)?.message ?? "\(error)")
    }
}

extension PostgresError {
    /// The connection is gone, or the server is starting or stopping: what became of the transaction is not known.
    ///
    /// Not where the server lacks room or memory (class 53): it has said so, and undone the transaction.
    var isOfServerState: Bool {
        ![.server, .usage, .decode].contains(kind) || sqlState?.errorClass == "57"
    }
}
