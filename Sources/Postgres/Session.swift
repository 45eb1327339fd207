internal import Synchronization

/// A connection for asynchronous code: one connection on one thread of its own, which connects when needed.
///
///     let session = Session(ConnectionConfiguration())
///     let orders = try await session.run { connection in
///         try connection.transaction { connection in … }
///     }
///
/// The body is synchronous, so no other work of the session can come between its statements. Cancelling the task stops
/// the running statement (SQLSTATE 57014), unless a COMMIT is under way: that is awaited, and its result returned.
public actor Session {
    public enum Change: Sendable {
        case connected
        /// The connection ended; the next run connects again.
        case lost(PostgresError)
    }

    private nonisolated let executor: ThreadExecutor
    private nonisolated let interrupt = Interrupt()
    private nonisolated let waiters = Atomic<Int>(0)
    private nonisolated let runs = Atomic<UInt64>(0)
    private let configuration: ConnectionConfiguration
    private let onChange: (@Sendable (Change) -> Void)?
    private let onConnect: (@Sendable (Connection) throws -> Void)?
    private var connection: Connection?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Connects nowhere yet.
    /// - Parameters:
    ///   - onConnect: runs on every new connection before anything else: LISTEN, SET ROLE and the like.
    ///   - onChange: called on the session's thread when a connection was made or lost.
    public init(
        _ configuration: ConnectionConfiguration, onConnect: (@Sendable (Connection) throws -> Void)? = nil,
        onChange: (@Sendable (Change) -> Void)? = nil
    ) {
        self.configuration = configuration
        self.onConnect = onConnect
        self.onChange = onChange
        executor = ThreadExecutor(name: configuration.applicationName)
    }

    deinit { executor.stop() }

    /// Runs a body with the connection, alone.
    ///
    /// An open transaction that the body leaves behind is rolled back, and reported as wrong use.
    /// - Throws: what the body throws; `CancellationError`; kinds `connectFailed` (one attempt is made where there is
    ///   no connection) and `busy`.
    public nonisolated func run<R: Sendable>(_ body: @Sendable (Connection) throws -> R) async throws -> R {
        try takePlace()
        defer { waiters.wrappingSubtract(1, ordering: .relaxed) }
        let run = runs.wrappingAdd(1, ordering: .relaxed).newValue
        return try await withTaskCancellationHandler {
            try await perform(run, body)
        } onCancel: {
            interrupt.cancelSoon(run)
        }
    }

    /// Puts a body in line from code that is not asynchronous. Bodies run in the order of the calls, as with `run`.
    /// - Parameter answer: called once with what the body returned or threw: on the session's thread before the next body
    ///   runs, or at once if too many wait.
    public nonisolated func submit<R: Sendable>(
        _ body: @escaping @Sendable (Connection) throws -> R,
        answer: @escaping @Sendable (Result<R, any Error>) -> Void
    ) {
        do {
            try takePlace()
        } catch {
            return answer(.failure(error))
        }
        let run = runs.wrappingAdd(1, ordering: .relaxed).newValue
        executor.enqueue {
            self.waiters.wrappingSubtract(1, ordering: .relaxed)
            self.assumeIsolated { session in answer(Result { try session.perform(run, body) }) }
        }
    }

    private nonisolated func takePlace() throws(PostgresError) {
        guard waiters.wrappingAdd(1, ordering: .relaxed).newValue <= PostgresLimits.sessionWaitersMax else {
            waiters.wrappingSubtract(1, ordering: .relaxed)
            throw PostgresError(
                .busy, "\(PostgresLimits.sessionWaitersMax) calls wait for this connection; try again later")
        }
    }

    /// Ends a `waitForNotification` that is going on in this session, or the next one.
    public nonisolated func wake() { interrupt.wake() }

    /// Connects if there is no connection; one attempt.
    public func connect() throws {
        _ = try connected()
    }

    /// Closes the connection; the next run makes a new one.
    public func disconnect() {
        connection = nil
    }

    private func perform<R: Sendable>(_ run: UInt64, _ body: @Sendable (Connection) throws -> R) throws -> R {
        interrupt.begin(run)
        defer { interrupt.end() }
        // Only now: a cancellation before `begin` found nothing to stop.
        try Task.checkCancellation()
        let connection = try connected()
        do {
            let value = try body(connection)
            try requireIdle(connection)
            return value
        } catch {
            connection.rollback()
            noticeLoss(of: connection, error)
            if Task.isCancelled, (error as? PostgresError)?.sqlState == .queryCanceled { throw CancellationError() }
            throw error
        }
    }

    private func requireIdle(_ connection: Connection) throws(PostgresError) {
        guard connection.transactionStatus != .idle, !connection.isLost else { return }
        connection.rollback()
        throw PostgresError(.usage, "the body left a transaction or statement open; it was rolled back")
    }

    private func connected() throws -> Connection {
        if let connection {
            guard connection.hasEndedWhileIdle() else { return connection }
            noticeLoss(of: connection, PostgresError(.connectionLost, "the server closed an idle connection"))
        }
        let fresh = try Connection(configuration, interrupt: interrupt)
        try onConnect?(fresh)
        connection = fresh
        onChange?(.connected)
        return fresh
    }

    private func noticeLoss(of lost: Connection, _ error: any Error) {
        guard lost.isLost else { return }
        connection = nil
        onChange?(.lost(error as? PostgresError ?? PostgresError(.connectionLost, "\(error)")))
    }
}
