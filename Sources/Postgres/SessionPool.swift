internal import Synchronization

/// A bounded number of sessions shared by many callers, served in the order in which they asked.
///
/// Sessions are made when first needed, and the one used last is used next, so that few stay warm.
public final class SessionPool: Sendable {
    private struct State {
        var idle: [Session] = []
        var made = 0
        var waiters: [Waiter] = []
        var waitersSeen: UInt64 = 0
    }

    private struct Waiter {
        var id: UInt64
        var continuation: CheckedContinuation<Session, any Error>
    }

    private let state = Mutex(State())
    private let sessionsMax: Int
    private let waitersMax: Int
    private let makeSession: @Sendable () -> Session

    /// - Parameters:
    ///   - sessionsMax: connections, and threads, at most.
    ///   - waitersMax: callers waiting for a session at most; one more gets `busy`.
    ///   - onConnect, onChange: as in `Session`.
    public init(
        _ configuration: ConnectionConfiguration, sessionsMax: Int, waitersMax: Int = PostgresLimits.sessionWaitersMax,
        onConnect: (@Sendable (Connection) throws -> Void)? = nil,
        onChange: (@Sendable (Session.Change) -> Void)? = nil
    ) {
        precondition(sessionsMax > 0 && waitersMax >= 0, "a pool of \(sessionsMax) sessions, \(waitersMax) waiters")
        self.sessionsMax = sessionsMax
        self.waitersMax = waitersMax
        makeSession = { Session(configuration, onConnect: onConnect, onChange: onChange) }
    }

    /// Runs a body with a session's connection; see `Session.run`.
    /// - Throws: what the body throws; `CancellationError`; kinds `connectFailed` and `busy`.
    public func run<R: Sendable>(_ body: @Sendable (Connection) throws -> R) async throws -> R {
        let session = try await acquire()
        defer { release(session) }
        return try await session.run(body)
    }

    /// Sessions made, and callers waiting.
    public var load: (sessions: Int, waiters: Int) {
        state.withLock { ($0.made, $0.waiters.count) }
    }

    private func acquire() async throws -> Session {
        if let session = try takeOrRefuse() { return session }
        let id = state.withLock { state in
            state.waitersSeen += 1
            return state.waitersSeen
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wait(Waiter(id: id, continuation: $0)) }
        } onCancel: {
            giveUp(id)
        }
    }

    /// A session that is free or may be made; nil where the caller has to wait.
    private func takeOrRefuse() throws(PostgresError) -> Session? {
        let (session, isFull) = state.withLock { state in (take(&state), state.waiters.count >= waitersMax) }
        if session == nil, isFull {
            throw PostgresError(
                .busy, "all \(sessionsMax) connections are in use and \(waitersMax) callers wait; try again later")
        }
        return session
    }

    private func take(_ state: inout State) -> Session? {
        if let session = state.idle.popLast() { return session }
        guard state.made < sessionsMax else { return nil }
        state.made += 1
        return makeSession()
    }

    private func wait(_ waiter: Waiter) {
        let result: Result<Session, any Error>? = state.withLock { state in
            // Looked at again under the lock: a cancellation or a release may have come in between.
            if Task.isCancelled { return .failure(CancellationError()) }
            if let session = take(&state) { return .success(session) }
            state.waiters.append(waiter)
            return nil
        }
        if let result { waiter.continuation.resume(with: result) }
    }

    private func giveUp(_ id: UInt64) {
        let waiter = state.withLock { state in
            state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
        }
        waiter?.continuation.resume(throwing: CancellationError())
    }

    private func release(_ session: Session) {
        let waiter: Waiter? = state.withLock { state in
            guard state.waiters.isEmpty else { return state.waiters.removeFirst() }
            state.idle.append(session)
            return nil
        }
        waiter?.continuation.resume(returning: session)
    }
}
