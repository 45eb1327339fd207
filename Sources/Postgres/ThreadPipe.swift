internal import Dispatch
internal import Synchronization

/// A bounded line of values between a session's thread, which may block, and asynchronous code, which may not.
///
/// Either side may put or take, one call of each side at a time. Whoever cannot go on ends it with its fault, and the
/// other side hears of that at its next call.
public final class ThreadPipe<Element: Sendable>: Sendable {
    private struct State {
        var values: [Element] = []
        var end: Result<Void, any Error>?
        var waiter: CheckedContinuation<Void, Never>?
        var threadWaits = false
    }

    private let state = Mutex(State())
    private let threadMayGoOn = DispatchSemaphore(value: 0)
    private let valuesMax: Int

    /// - Parameter valuesMax: whoever puts more waits.
    public init(valuesMax: Int) { self.valuesMax = valuesMax }

    /// Nothing more is put; or, with a fault, nothing more is taken either. Only the first call counts.
    public func end(_ result: Result<Void, any Error> = .success(())) {
        change { state in
            guard state.end == nil else { return }
            state.end = result
            if case .failure = result { state.values = [] }
        }
    }

    // MARK: The thread's side

    /// Blocks while the line is full.
    public func putBlocking(_ value: Element) throws {
        while try !tryPut(value) { waitOnThread { $0.values.count >= self.valuesMax && $0.end == nil } }
    }

    /// Blocks while the line is empty; nil after the last.
    public func takeBlocking() throws -> Element? {
        while true {
            if let taken = try tryTake() { return taken }
            waitOnThread { $0.values.isEmpty && $0.end == nil }
        }
    }

    // MARK: The asynchronous side

    public func put(_ value: Element) async throws {
        while try !tryPut(value) { await wait { $0.values.count >= self.valuesMax && $0.end == nil } }
    }

    /// Nil after the last.
    public func take() async throws -> Element? {
        while true {
            if let taken = try tryTake() { return taken }
            await wait { $0.values.isEmpty && $0.end == nil }
        }
    }

    // MARK: Both

    private func tryPut(_ value: Element) throws -> Bool {
        try change { state in
            if case .failure(let fault) = state.end { throw fault }
            guard state.values.count < valuesMax else { return false }
            state.values.append(value)
            return true
        }
    }

    /// Nil where there is nothing yet; a nil inside at the end.
    private func tryTake() throws -> Element?? {
        try change { state in
            if case .failure(let fault) = state.end { throw fault }
            if !state.values.isEmpty { return .some(state.values.removeFirst()) }
            return state.end == nil ? nil : .some(nil)
        }
    }

    /// Whoever waits looks again.
    private func change<R>(_ body: (inout State) throws -> R) rethrows -> R {
        let (result, waiter, threadWaits) = try state.withLock { state in
            let result = try body(&state)
            defer {
                state.waiter = nil
                state.threadWaits = false
            }
            return (result, state.waiter, state.threadWaits)
        }
        waiter?.resume()
        if threadWaits { threadMayGoOn.signal() }
        return result
    }

    private func waitOnThread(while isSame: (borrowing State) -> Bool) {
        let mustWait = state.withLock { state in
            state.threadWaits = isSame(state)
            return state.threadWaits
        }
        if mustWait { threadMayGoOn.wait() }
    }

    private func wait(while isSame: @Sendable (borrowing State) -> Bool) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    guard isSame(state) else { return false }
                    state.waiter = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            end(.failure(CancellationError()))
        }
    }
}
