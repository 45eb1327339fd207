import Logging
import OrderBook
import Store
import Synchronization

/// Enters the commands of all clients. Whoever comes while a statement is under way goes into the next one: the busier it
/// is, the larger the batches, and one client alone waits for nobody.
final class CommandDesk: Sendable {
    /// Called once, on any thread.
    typealias Answer = @Sendable (DeskAnswer) -> Void

    private struct Waiting: Sendable {
        var entry: Entry
        var answer: Answer
    }

    private struct Queue {
        var waiting: [Waiting] = []
        var isClosed = false
    }

    private let entrance: CommandEntrance
    private let limits: GatewayLimits
    private let metrics: GatewayMetrics
    private let logger: Logger
    private let queue = Mutex(Queue())
    private let wakes: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation

    init(entrance: CommandEntrance, limits: GatewayLimits, metrics: GatewayMetrics, logger: Logger) {
        self.entrance = entrance
        self.limits = limits
        self.metrics = metrics
        self.logger = logger
        (wakes, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Puts a command in line.
    func submit(_ entry: Entry, answer: @escaping Answer) {
        let refusal: DeskAnswer? = queue.withLock { queue in
            if queue.isClosed { return .closing }
            if queue.waiting.count >= limits.commandsQueuedMax { return .busy(limits.commandsQueuedMax) }
            queue.waiting.append(Waiting(entry: entry, answer: answer))
            return nil
        }
        if let refusal { return answer(refusal) }
        waker.yield()
    }

    /// Enters what is submitted until `close`, then the rest, then returns.
    func run() async {
        for await _ in wakes {
            while let batch = takeBatch() { await enter(batch) }
        }
        while let batch = takeBatch() { await enter(batch) }
    }

    /// Takes no more commands.
    func close() {
        queue.withLock { $0.isClosed = true }
        waker.finish()
    }

    private func takeBatch() -> [Waiting]? {
        queue.withLock { queue in
            guard !queue.waiting.isEmpty else { return nil }
            let batch = Array(queue.waiting.prefix(limits.commandsPerBatchMax))
            queue.waiting.removeFirst(batch.count)
            return batch
        }
    }

    private func enter(_ batch: [Waiting]) async {
        do {
            let answers = try await enterPersistently(batch.map(\.entry))
            count(answers)
            for (waiting, answer) in zip(batch, answers) { waiting.answer(.admission(answer)) }
        } catch CommandEntrance.Failure.refused(let message) {
            await enterOneByOne(batch, because: message)
        } catch {
            logger.error(
                "commands could not be entered", metadata: ["error": "\(error)", "commands": "\(batch.count)"])
            for waiting in batch { waiting.answer(.unavailable) }
        }
    }

    private func count(_ answers: [Admission]) {
        var entered = 0
        for case .admitted in answers { entered += 1 }
        metrics.batch(entered: entered, refused: answers.count - entered)
    }

    /// The ids are ours, so that entering again after a lost connection stores nothing twice.
    private func enterPersistently(_ entries: [Entry]) async throws -> [Admission] {
        let deadline = ContinuousClock.now + .milliseconds(limits.entranceRetryMilliseconds)
        while true {
            do {
                return try await entrance.enter(entries)
            } catch CommandEntrance.Failure.unreachable(let message) {
                guard ContinuousClock.now < deadline else { throw CommandEntrance.Failure.unreachable(message) }
                logger.warning(
                    "the database is away; entering commands is tried again", metadata: ["error": "\(message)"])
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// One statement refuses all of its commands for the fault of one: each is judged alone then.
    private func enterOneByOne(_ batch: [Waiting], because message: String) async {
        guard batch.count > 1 else {
            logger.error("a command could not be entered", metadata: ["error": "\(message)"])
            for waiting in batch { waiting.answer(.failed(message)) }
            return
        }
        for waiting in batch { await enter([waiting]) }
    }
}

/// What the desk says to one command.
enum DeskAnswer: Sendable {
    case admission(Admission)
    case busy(Int)
    /// The gateway is stopping.
    case closing
    /// Whether it was stored is not known.
    case unavailable
    /// The database could not take it, and stored nothing.
    case failed(String)
}
