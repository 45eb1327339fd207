import OrderBook
public import Store
import Synchronization

/// The way into the matcher of the same process: commands are entered and executed in one durable transaction.
///
/// It stands between those who submit, on any thread, and the one matcher that serves it; while there is none, whatever
/// is submitted fails as unreachable.
public final class DirectEntrance: CommandEntrance {
    typealias Answer = @Sendable (Result<EntranceAnswer, EntranceFailure>) -> Void

    struct Submission: Sendable {
        var entries: [Entry]
        var answer: Answer
    }

    private struct State {
        var waiting: [Submission] = []
        /// Wakes the matcher that serves this entrance; nil while none does.
        var wake: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let submissionsMax: Int

    /// - Parameter submissionsMax: calls of `submit` that may stand in line.
    public init(submissionsMax: Int = 64) { self.submissionsMax = submissionsMax }

    public func submit(
        _ entries: [Entry], answer: @escaping @Sendable (Result<EntranceAnswer, EntranceFailure>) -> Void
    ) {
        let (wake, failure): ((@Sendable () -> Void)?, EntranceFailure?) = state.withLock { state in
            guard let wake = state.wake else {
                return (nil, .unreachable("the matcher has no connection to the database"))
            }
            guard state.waiting.count < submissionsMax else {
                return (nil, .refused("\(submissionsMax) batches of commands stand in line; try again later"))
            }
            state.waiting.append(Submission(entries: entries, answer: answer))
            // Who finds others in line finds the matcher awake.
            return (state.waiting.count == 1 ? wake : nil, nil)
        }
        if let failure { return answer(.failure(failure)) }
        wake?()
    }

    // MARK: The matcher's side

    func open(wake: @escaping @Sendable () -> Void) {
        state.withLock { $0.wake = wake }
    }

    func next() -> Submission? {
        state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
    }

    /// Nobody serves it any more.
    func close(because reason: String) {
        let left = state.withLock { state in
            defer { state = State() }
            return state.waiting
        }
        for submission in left { submission.answer(.failure(.unreachable(reason))) }
    }
}
