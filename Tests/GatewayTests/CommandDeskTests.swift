import Logging
import OrderBook
import Store
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite struct CommandDeskTests {
    /// Keeps what it is given until it is told what to answer.
    private final class HeldEntrance: CommandEntrance {
        private struct Held {
            var entries: [Entry]
            var answer: @Sendable (Result<EntranceAnswer, EntranceFailure>) -> Void
        }

        private let held = Mutex<[Held]>([])

        func submit(
            _ entries: [Entry], answer: @escaping @Sendable (Result<EntranceAnswer, EntranceFailure>) -> Void
        ) {
            held.withLock { $0.append(Held(entries: entries, answer: answer)) }
        }

        /// The ids of what is under way, by batch.
        var ids: [[UInt64]] { held.withLock { $0.map { $0.entries.map { $0.id!.low } } } }

        func answerFirst(failing failure: EntranceFailure? = nil, refusing isRefused: (Entry) -> Bool = { _ in false })
        {
            let first = held.withLock { $0.removeFirst() }
            let receipts = first.entries.map { entry in
                Receipt(
                    isRefused(entry)
                        ? .refused(Rejection(code: .offTick, message: "no", field: "price"))
                        : .admitted(entry.id!, isRetry: false))
            }
            first.answer(failure.map { .failure($0) } ?? .success(EntranceAnswer(receipts)))
        }
    }

    /// A desk on a held entrance, and the answers it gave.
    private final class Setup: Sendable {
        let entrance = HeldEntrance()
        let desk: CommandDesk
        let ann = Sender(address: .none, user: UserID("ann"))
        let answers = Mutex<[(id: UInt64, answer: DeskAnswer)]>([])

        init(_ limits: GatewayLimits = GatewayLimits()) {
            var logger = Logger(label: "test desk")
            logger.logLevel = .critical
            desk = CommandDesk(entrance: entrance, limits: limits, metrics: GatewayMetrics(), logger: logger) {}
        }

        func submit(_ numbers: ClosedRange<UInt64>, from sender: Sender? = nil) {
            let sender = sender ?? ann
            for number in numbers {
                let entry = Entry(
                    id: OrderID(high: 0, low: number), user: sender.user, market: "X", action: .resume)
                desk.submit(entry, from: sender) { answer in self.answers.withLock { $0.append((number, answer)) } }
            }
        }

        var answered: [UInt64] { answers.withLock { $0.map(\.id) } }

        func run(_ body: @Sendable () async throws -> Void) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await self.desk.run() }
                do {
                    try await body()
                } catch {
                    group.cancelAll()
                    throw error
                }
                desk.close()
            }
        }
    }

    @Test func `at most so many batches are under way, and the rest goes into the next ones in order`() {
        let setup = Setup(GatewayLimits(commandsPerBatchMax: 3, batchesUnderWayMax: 2))
        setup.submit(1...7)
        #expect(setup.entrance.ids == [[1], [2]])
        setup.entrance.answerFirst()
        #expect(setup.entrance.ids == [[2], [3, 4, 5]])
        #expect(setup.answered == [1])
        setup.entrance.answerFirst()
        setup.entrance.answerFirst()
        setup.entrance.answerFirst()
        #expect(setup.answered == [1, 2, 3, 4, 5, 6, 7])
    }

    @Test func `batches that were lost are entered again in order before anything new`() async throws {
        let setup = Setup(GatewayLimits(batchesUnderWayMax: 2))
        try await setup.run {
            setup.submit(1...5)
            #expect(setup.entrance.ids == [[1], [2]])
            setup.entrance.answerFirst(failing: .unreachable("gone"))
            setup.entrance.answerFirst(failing: .unreachable("gone"))
            for expected in [[1], [2], [3, 4, 5]] as [[UInt64]] {
                try await eventually("\(expected) is entered") { setup.entrance.ids == [expected] }
                setup.entrance.answerFirst()
            }
        }
        #expect(setup.answered == [1, 2, 3, 4, 5])
    }

    @Test func `a batch that was lost waits for the one behind it`() async throws {
        let setup = Setup(GatewayLimits(batchesUnderWayMax: 2))
        try await setup.run {
            setup.submit(1...3)
            setup.entrance.answerFirst(failing: .unreachable("gone"))
            #expect(setup.entrance.ids == [[2]])
            setup.entrance.answerFirst()
            for expected in [[1], [3]] as [[UInt64]] {
                try await eventually("\(expected) is entered") { setup.entrance.ids == [expected] }
                setup.entrance.answerFirst()
            }
        }
        #expect(setup.answered == [2, 1, 3])
    }

    @Test func `a refused batch is halved until the command at fault stands alone`() async throws {
        let setup = Setup(GatewayLimits(batchesUnderWayMax: 1))
        try await setup.run {
            setup.submit(1...5)
            setup.entrance.answerFirst()
            for expected in [[2, 3, 4, 5], [2, 3, 4, 5], [2, 3], [2], [3], [4, 5]] as [[UInt64]] {
                try await eventually("\(expected) is entered") { setup.entrance.ids == [expected] }
                setup.entrance.answerFirst(failing: expected.contains(3) ? .refused("\(expected.count)") : nil)
            }
            try await eventually("all are answered") { setup.answered.count == 5 }
        }
        let answers = setup.answers.withLock { $0 }
        #expect(answers.map(\.id) == [1, 2, 3, 4, 5])
        guard case .failed("1") = answers[2].answer else {
            Issue.record("the answer is \(answers[2].answer)")
            return
        }
    }

    @Test func `whoever comes late is first in the next batch, however much others have in line`() {
        let setup = Setup(GatewayLimits(commandsPerBatchMax: 10, batchesUnderWayMax: 1))
        let bob = Sender(address: .none, user: UserID("bob"))
        setup.submit(1...1_000)
        setup.submit(2_000...2_000, from: bob)
        setup.entrance.answerFirst()
        #expect(setup.entrance.ids[0] == [2_000] + Array(2...10))
    }

    @Test func `batches are short while somebody sends little beside others who send much, and whole again after`() {
        let setup = Setup(
            GatewayLimits(commandsPerBatchMax: 100, commandsPerShortBatchMax: 10, batchesUnderWayMax: 1))
        let bob = Sender(address: .none, user: UserID("bob"))
        setup.submit(1...5_000)
        func next() -> Int {
            setup.entrance.answerFirst()
            return setup.entrance.ids[0].count
        }
        #expect([next(), next()] == [100, 100])
        setup.submit(10_000...10_000, from: bob)
        #expect([next(), next(), next()] == [100, 10, 10])
        var sizes: [Int] = []
        for _ in 0..<70 { sizes.append(next()) }
        #expect(sizes == Array(repeating: 10, count: 62) + Array(repeating: 100, count: 8))
    }

    @Test func `a sender whose commands are refused gets fewer into a batch, until they are not`() {
        let setup = Setup(GatewayLimits(commandsPerBatchMax: 64, batchesUnderWayMax: 1))
        setup.submit(1...1_000)
        var sizes: [Int] = []
        for _ in 0..<4 {
            sizes.append(setup.entrance.ids[0].count)
            setup.entrance.answerFirst(refusing: { _ in true })
        }
        // What stood in line when it had a good name costs as much as what comes later. The next batch is put together
        // before the last is answered: it knows of one refusal, then of 65.
        #expect(sizes == [1, 64, 32, 4])
        for _ in 0..<15 { setup.entrance.answerFirst() }
        #expect(setup.entrance.ids[0].count == 64)
    }

    @Test func `where the line is full, one who has little in it is taken and one who has much is told`() {
        let setup = Setup(GatewayLimits(commandsPerSocketMax: 100, commandsQueuedMax: 100, batchesUnderWayMax: 1))
        let bob = Sender(address: .none, user: UserID("bob"))
        setup.submit(1...201)
        setup.submit(1_000...1_009, from: bob)
        // One is under way, a hundred wait.
        let busy = setup.answers.withLock { $0 }
        #expect(busy.map(\.id) == Array(102...201) + (92...101).reversed())
        #expect(busy.allSatisfy { if case .busy(100) = $0.answer { true } else { false } })
    }

    @Test func `whoever waits for a batch that hangs is told, and a late answer changes nothing`() async throws {
        let setup = Setup(
            GatewayLimits(batchesUnderWayMax: 1, batchMillisecondsMax: 50, deadlineTickMilliseconds: 10))
        try await setup.run {
            setup.submit(1...3)
            try await eventually("all are answered") { setup.answered.count == 3 }
            let answers = setup.answers.withLock { $0 }
            guard case .unavailable = answers[0].answer, case .notTaken = answers[1].answer,
                case .notTaken = answers[2].answer
            else {
                Issue.record("the answers are \(answers)")
                return
            }
            // It is not entered again, whatever became of it.
            setup.entrance.answerFirst(failing: .unreachable("gone"))
            setup.submit(4...4)
            #expect(setup.entrance.ids == [[4]])
            setup.entrance.answerFirst()
            #expect(setup.answered == [1, 2, 3, 4])
        }
    }

    @Test func `what is entered again and hangs is told as well`() async throws {
        let setup = Setup(
            GatewayLimits(batchesUnderWayMax: 1, batchMillisecondsMax: 50, deadlineTickMilliseconds: 10))
        try await setup.run {
            setup.submit(1...1)
            setup.entrance.answerFirst(failing: .unreachable("gone"))
            try await eventually("it is answered") { setup.answered == [1] }
            #expect(setup.entrance.ids == [[1]])
            setup.entrance.answerFirst()
            #expect(setup.answered == [1])
        }
    }

    @Test func `a desk that is closed answers what it has, and takes no more`() async throws {
        let setup = Setup(GatewayLimits(batchesUnderWayMax: 1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await setup.desk.run() }
            setup.submit(1...2)
            setup.desk.close()
            setup.submit(3...3)
            #expect(setup.answered == [3])
            setup.entrance.answerFirst()
            setup.entrance.answerFirst()
            try await group.waitForAll()
        }
        #expect(setup.answered == [3, 1, 2])
    }
}
