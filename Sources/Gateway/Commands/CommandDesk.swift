import Logging
import OrderBook
import Store
import Synchronization

/// Enters the commands of all clients. Whoever comes while batches are under way goes into the next one: the busier it
/// is, the larger the batches, and one client alone waits for nobody. The next batch is handed over while the last one
/// commits. Where more waits than a batch takes, those who sent it take turns.
final class CommandDesk: Sendable {
    /// Called once, on any thread.
    typealias Answer = @Sendable (DeskAnswer) -> Void

    private struct Waiting: Sendable {
        var entry: Entry
        var sender: Sender
        var answer: Answer
    }

    private struct Batch: Sendable {
        var number: UInt64
        var commands: [Waiting]
        var cost: Int
        /// It is short for the sake of somebody who sends little.
        var isShort: Bool
    }

    private struct Queue {
        var waiting: FairQueue<Waiting>
        var isClosed = false
        /// Somebody is handing batches over. One at a time, for the order.
        var isHandingOver = false
        var batchesUnderWay = 0
        var batchesUnanswered = 0
        /// What was handed over and has its time still, and since when.
        var inTime: [UInt64: (batch: Batch, since: ContinuousClock.Instant)] = [:]
        /// What is entered again, and since when.
        var again: (answer: OneAnswer, since: ContinuousClock.Instant)?
        var lastBatch: UInt64 = 0
        /// So many of the next batches are short.
        var shortBatchesLeft = 0
        var whole: BatchSize
        var short: BatchSize
        /// When the last batch was answered.
        var lastEnd = ContinuousClock.now
        /// Batches that failed; until they are dealt with nothing new is handed over.
        var failed: [Batch] = []

        init(_ limits: GatewayLimits) {
            waiting = FairQueue(elementsMax: limits.commandsQueuedMax)
            let least = FairQueue<Waiting>.costMax
            whole = BatchSize(
                max: limits.commandsPerBatchMax, least: least, target: .milliseconds(limits.batchMilliseconds))
            short = BatchSize(
                max: limits.commandsPerShortBatchMax, least: least,
                target: .milliseconds(limits.shortBatchMilliseconds))
        }

        /// A batch was answered: nothing held it up since it was handed over, or since the one before was answered.
        mutating func noteDuration(of batch: Batch, since handedOver: ContinuousClock.Instant) {
            let now = ContinuousClock.now
            let duration = now - max(handedOver, lastEnd)
            lastEnd = now
            if batch.isShort { short.took(duration, for: batch.cost) } else { whole.took(duration, for: batch.cost) }
        }

        var isIdle: Bool { waiting.isEmpty && batchesUnanswered == 0 && failed.isEmpty }
        /// Whether `run` has something to do.
        var needsRun: Bool { isClosed || (batchesUnderWay == 0 && !failed.isEmpty) }
    }

    /// Whoever has more in line sends much.
    private static let muchInLine = 32
    /// How many batches are short after one that served somebody whole and left others waiting.
    private static let shortBatches = 64

    private let entrance: any CommandEntrance
    private let limits: GatewayLimits
    private let metrics: GatewayMetrics
    private let logger: Logger
    private let onMoved: @Sendable ([MarketMove]) -> Void
    private let onAnswered: @Sendable () -> Void
    private let queue: Mutex<Queue>
    /// Somebody was refused since the last `handOver`.
    private let hasRefused = Atomic<Bool>(false)
    private let wakes: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - onMoved: told what commands did that were executed at once, after they were answered.
    ///   - onAnswered: called after that, once for those answered together.
    init(
        entrance: any CommandEntrance, limits: GatewayLimits, metrics: GatewayMetrics, logger: Logger,
        onMoved: @escaping @Sendable ([MarketMove]) -> Void = { _ in },
        onAnswered: @escaping @Sendable () -> Void
    ) {
        self.entrance = entrance
        self.limits = limits
        self.metrics = metrics
        self.logger = logger
        self.onMoved = onMoved
        self.onAnswered = onAnswered
        queue = Mutex(Queue(limits))
        (wakes, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Puts a command in line, and hands it over.
    func submit(_ entry: Entry, from sender: Sender, answer: @escaping Answer) {
        put(entry, from: sender, answer: answer)
        handOver()
    }

    /// Puts a command in line until the next `handOver`. Where the line is full somebody is told that it is busy: this
    /// sender, or one who has more in it.
    func put(_ entry: Entry, from sender: Sender, answer: @escaping Answer) {
        let waiting = Waiting(entry: entry, sender: sender, answer: answer)
        let refused: (Waiting, DeskAnswer)? = queue.withLock { queue in
            if queue.isClosed { return (waiting, .closing) }
            return queue.waiting.put(waiting, from: sender)
                .map { ($0, .busy(limits.commandsQueuedMax)) }
        }
        guard let (waiting, answer) = refused else { return }
        waiting.answer(answer)
        hasRefused.store(true, ordering: .relaxed)
    }

    /// Hands over what waits, as far as there is room; and tells whom there was none for.
    func handOver() {
        if hasRefused.load(ordering: .relaxed), hasRefused.exchange(false, ordering: .relaxed) { onAnswered() }
        guard queue.withLock({ beginHandingOver(&$0) }) else { return }
        while let batch = queue.withLock({ nextBatch(&$0) }) {
            entrance.submit(batch.commands.map(\.entry)) { self.ended(batch, $0) }
        }
    }

    private func beginHandingOver(_ queue: inout Queue) -> Bool {
        guard !queue.isHandingOver else { return false }
        queue.isHandingOver = true
        return true
    }

    /// Ends the handing over when there is nothing to hand over, or no room.
    private func nextBatch(_ queue: inout Queue) -> Batch? {
        guard queue.batchesUnderWay < limits.batchesUnderWayMax, queue.failed.isEmpty, !queue.waiting.isEmpty else {
            queue.isHandingOver = false
            return nil
        }
        queue.batchesUnderWay += 1
        queue.batchesUnanswered += 1
        queue.lastBatch += 1
        let batch = nextBatch(number: queue.lastBatch, &queue)
        queue.inTime[batch.number] = (batch, .now)
        return batch
    }

    /// As many as a batch takes; fewer of senders whose commands are refused, and fewer while somebody sends little and
    /// others send more than a batch takes: it would wait for theirs.
    private func nextBatch(number: UInt64, _ queue: inout Queue) -> Batch {
        let isShort = queue.shortBatchesLeft > 0
        let costMax = isShort ? queue.short.limit : queue.whole.limit
        var commands: [Waiting] = []
        commands.reserveCapacity(min(queue.waiting.count, costMax))
        var (cost, hasServedOne) = (0, false)
        while cost < costMax, let next = queue.waiting.take() {
            commands.append(next.element)
            cost += next.cost
            if next.isLast { hasServedOne = true }
        }
        if hasServedOne, queue.waiting.hasSender(withMoreThan: Self.muchInLine) {
            queue.shortBatchesLeft = Self.shortBatches
        } else if queue.shortBatchesLeft > 0 {
            queue.shortBatchesLeft -= 1
        }
        return Batch(number: number, commands: commands, cost: cost, isShort: isShort)
    }

    private func ended(_ batch: Batch, _ result: Result<EntranceAnswer, EntranceFailure>) {
        let isInTime = queue.withLock { queue in
            queue.batchesUnderWay -= 1
            guard let (_, since) = queue.inTime.removeValue(forKey: batch.number) else { return false }
            queue.noteDuration(of: batch, since: since)
            if case .failure = result { queue.failed.append(batch) }
            return true
        }
        // First, so that the entrance has something to do while the answers go out.
        handOver()
        guard isInTime else { return came(tooLate: result) }
        if case .success(let entered) = result { answer(batch.commands, entered) }
        let needsRun = queue.withLock { queue in
            queue.batchesUnanswered -= 1
            return queue.needsRun
        }
        if needsRun { waker.yield() }
    }

    private func answer(_ commands: [Waiting], _ answer: EntranceAnswer) {
        var entered = 0
        queue.withLock { queue in
            for (waiting, receipt) in zip(commands, answer.receipts) {
                let isRefusal: Bool
                if case .admitted = receipt.admission { isRefusal = false } else { isRefusal = true }
                if !isRefusal { entered += 1 }
                queue.waiting.note(waiting.sender, isRefusal: isRefusal)
            }
        }
        for (waiting, receipt) in zip(commands, answer.receipts) { waiting.answer(.receipt(receipt)) }
        metrics.batch(entered: entered, refused: answer.receipts.count - entered)
        if !answer.moves.isEmpty { onMoved(answer.moves) }
        onAnswered()
    }

    private func answer(_ commands: [Waiting], _ answer: DeskAnswer) {
        for waiting in commands { waiting.answer(answer) }
        onAnswered()
    }

    /// Takes no more commands.
    func close() {
        queue.withLock { $0.isClosed = true }
        waker.yield()
    }

    // MARK: When something takes too long

    /// What becomes of a batch after its clients were told that it is not known: they ask again with their own ids. What
    /// it did to others' orders they hear all the same.
    private func came(tooLate result: Result<EntranceAnswer, EntranceFailure>) {
        if case .success(let answer) = result, !answer.moves.isEmpty {
            onMoved(answer.moves)
            onAnswered()
        }
        if queue.withLock({ $0.needsRun }) { waker.yield() }
    }

    /// Answers what has been under way for too long, now and then.
    private func keepDeadlines() async {
        while (try? await Task.sleep(for: .milliseconds(limits.deadlineTickMilliseconds))) != nil {
            answerOverdue(at: .now)
        }
    }

    private func answerOverdue(at now: ContinuousClock.Instant) {
        let latest = now - .milliseconds(limits.batchMillisecondsMax)
        let (overdue, unheard, again) = queue.withLock { queue in
            let overdue = queue.inTime.values.filter { $0.since <= latest }.map(\.batch)
            for batch in overdue { queue.inTime[batch.number] = nil }
            queue.batchesUnanswered -= overdue.count
            // While the entrance answers nothing at all nobody waits for it.
            var unheard: [Waiting] = []
            if queue.batchesUnderWay > 0, queue.inTime.isEmpty {
                while let next = queue.waiting.take() { unheard.append(next.element) }
            }
            let again = queue.again.flatMap { $0.since <= latest ? $0.answer : nil }
            return (overdue.sorted { $0.number < $1.number }, unheard, again)
        }
        for batch in overdue {
            logger.error(
                "commands were not answered in time; whether they are stored is not known",
                metadata: ["commands": "\(batch.commands.count)", "milliseconds": "\(limits.batchMillisecondsMax)"])
            answer(batch.commands, .unavailable)
        }
        if !unheard.isEmpty { answer(unheard, .notTaken) }
        again?.give(nil)
        if !overdue.isEmpty || !unheard.isEmpty { waker.yield() }
    }

    // MARK: When something fails

    /// Deals with batches that fail or hang, until the desk is closed and everything is answered.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.keepDeadlines() }
            await dealWithFailed()
            group.cancelAll()
        }
    }

    private func dealWithFailed() async {
        for await _ in wakes {
            while let failed = takeFailed() {
                for batch in failed { await enter(batch.commands) }
                queue.withLock { $0.failed.removeAll { batch in failed.contains { $0.number == batch.number } } }
                handOver()
            }
            if queue.withLock({ $0.isClosed && $0.isIdle }) { return }
        }
    }

    /// What failed, in order, once nothing is under way. It stays in the queue, so that others wait.
    private func takeFailed() -> [Batch]? {
        queue.withLock { queue in
            guard queue.batchesUnderWay == 0, !queue.failed.isEmpty else { return nil }
            return queue.failed.sorted { $0.number < $1.number }
        }
    }

    private func enter(_ commands: [Waiting]) async {
        do throws(EntranceFailure) {
            answer(commands, try await enterPersistently(commands.map(\.entry)))
        } catch {
            switch error {
            case .refused(let message): await enterByHalves(commands, because: message)
            case .unreachable(let message):
                logger.error(
                    "commands could not be entered", metadata: ["error": "\(message)", "commands": "\(commands.count)"])
                answer(commands, .unavailable)
            }
        }
    }

    /// The ids are ours, so that entering again after a lost connection stores nothing twice.
    private func enterPersistently(_ entries: [Entry]) async throws(EntranceFailure) -> EntranceAnswer {
        let deadline = ContinuousClock.now + .milliseconds(limits.entranceRetryMilliseconds)
        while true {
            guard let result = await submitAgain(entries) else {
                throw .unreachable("no answer came within \(limits.batchMillisecondsMax) ms")
            }
            guard case .failure(.unreachable(let message)) = result, ContinuousClock.now < deadline else {
                return try result.get()
            }
            logger.warning("the database is away; entering commands is tried again", metadata: ["error": "\(message)"])
            do {
                try await Task.sleep(for: .milliseconds(100))
            } catch {
                throw .unreachable(message)
            }
        }
    }

    /// Nil when no answer came in time.
    private func submitAgain(_ entries: [Entry]) async -> Result<EntranceAnswer, EntranceFailure>? {
        let answer = OneAnswer()
        queue.withLock { $0.again = (answer, .now) }
        defer { queue.withLock { $0.again = nil } }
        return await withCheckedContinuation { continuation in
            answer.wait { continuation.resume(returning: $0) }
            entrance.submit(entries) { if !answer.give($0) { self.came(tooLate: $0) } }
        }
    }

    /// One statement refuses all of its commands for the fault of one: it is halved until that one stands alone.
    private func enterByHalves(_ commands: [Waiting], because message: String) async {
        guard commands.count > 1 else {
            logger.error("a command could not be entered", metadata: ["error": "\(message)"])
            return answer(commands, .failed(message))
        }
        let middle = commands.count / 2
        await enter(Array(commands[..<middle]))
        await enter(Array(commands[middle...]))
    }
}

/// An answer of which the first counts.
private final class OneAnswer: Sendable {
    typealias Value = Result<EntranceAnswer, EntranceFailure>?

    private let taker = Mutex<(@Sendable (Value) -> Void)?>(nil)

    func wait(_ take: @escaping @Sendable (Value) -> Void) { taker.withLock { $0 = take } }

    /// - Returns: false if another one was first.
    @discardableResult
    func give(_ value: Value) -> Bool {
        guard let take = taker.withLock({ $0.take() }) else { return false }
        take(value)
        return true
    }
}

/// What the desk says to one command.
enum DeskAnswer: Sendable {
    case receipt(Receipt)
    case busy(Int)
    /// The gateway is stopping.
    case closing
    /// Whether it was stored is not known.
    case unavailable
    /// It was never handed over, and nothing was stored.
    case notTaken
    /// The database could not take it, and stored nothing.
    case failed(String)
}
