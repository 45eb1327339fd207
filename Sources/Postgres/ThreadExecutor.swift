internal import Dispatch
internal import Synchronization

/// Runs an actor's jobs in order on one operating system thread, where they may block.
///
/// The thread keeps the executor alive until `stop()`, which the actor calls from its deinit: no job can come after it.
final class ThreadExecutor: SerialExecutor {
    private enum Work: Sendable {
        case job(UnownedJob)
        case body(@Sendable () -> Void)
    }

    private struct State {
        var jobs: [Work] = []
        var isWaiting = false
        var isStopped = false
    }

    private let state = Mutex(State())
    private let thread = Atomic<UInt>(0)
    private let wake = DispatchSemaphore(value: 0)

    init(name: String) {
        startThread(name: name) { self.loop() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        signal { $0.jobs.append(.job(job)) }
    }

    /// Runs a body in line with the actor's jobs; inside it the actor may be assumed isolated.
    func enqueue(_ body: @escaping @Sendable () -> Void) {
        signal { $0.jobs.append(.body(body)) }
    }

    func checkIsolated() {
        precondition(thread.load(ordering: .relaxed) == currentThread(), "this is not the executor's thread")
    }

    func stop() {
        signal { $0.isStopped = true }
    }

    private func signal(_ change: (inout sending State) -> Void) {
        let isWaiting = state.withLock { state in
            change(&state)
            defer { state.isWaiting = false }
            return state.isWaiting
        }
        if isWaiting { wake.signal() }
    }

    private func loop() {
        thread.store(currentThread(), ordering: .relaxed)
        var jobs: [Work] = []
        while true {
            let isStopped = state.withLock { state in
                // The emptied array goes back, so that nothing is allocated in the steady state.
                swap(&jobs, &state.jobs)
                state.isWaiting = jobs.isEmpty && !state.isStopped
                return state.isStopped
            }
            for job in jobs {
                switch job {
                case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
                case .body(let body): body()
                }
            }
            if jobs.isEmpty {
                if isStopped { return }
                wake.wait()
            }
            jobs.removeAll(keepingCapacity: true)
        }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}
