import OrderBook
import Store

/// What a matcher does for its own process's entrance: takes what stands in line, and answers when it is durable.
struct DirectService {
    private let entrance: DirectEntrance
    private let exchange: DirectExchange
    /// Who waits for a batch, by its tag.
    private var answers: [Int: DirectEntrance.Answer] = [:]
    private var lastTag = 0

    init(
        _ entrance: DirectEntrance, _ connection: StoreConnection, _ health: ExecutorHealth, limits: ExchangeLimits
    ) throws {
        self.entrance = entrance
        exchange = try DirectExchange(connection, health: health, limits: limits)
        entrance.open(wake: connection.waker)
    }

    /// Executes the next submission, or waits for what is under way.
    /// - Returns: false if there was nothing to do.
    mutating func work() -> Bool {
        if let submission = entrance.next() {
            lastTag += 1
            answers[lastTag] = submission.answer
            answer(exchange.submit(submission.entries, tag: lastTag))
            return true
        }
        guard exchange.isBusy else { return false }
        finish()
        return true
    }

    mutating func finish() { answer(exchange.finish()) }

    /// Whether the inbox holds commands that came through here.
    mutating func takeHasLogged() -> Bool {
        defer { exchange.tookLogged() }
        return exchange.hasLogged
    }

    /// Announces what is due.
    /// - Returns: when the next announcement is due; nil if there is none.
    func announce() throws -> ContinuousClock.Instant? {
        guard let due = exchange.announcementDue, due <= .now else { return exchange.announcementDue }
        try exchange.announce()
        return nil
    }

    /// For batches of the inbox: the books that this service has in memory, and room for others.
    func memory(_ limits: ExchangeLimits) -> BookMemory { BookMemory(limits: limits, sharedWith: exchange) }

    mutating func close(because reason: String) {
        entrance.close(because: reason)
        for answer in answers.values { answer(.failure(.unreachable(reason))) }
        answers = [:]
    }

    private mutating func answer(_ batches: [ExecutedBatch]) {
        for batch in batches {
            guard let answer = answers.removeValue(forKey: batch.tag) else { continue }
            answer(
                batch.outcome.map { EntranceAnswer($0.map(Receipt.init), moves: batch.moves) }
                    .mapError(EntranceFailure.init))
        }
    }
}

extension Receipt {
    fileprivate init(_ entry: ExecutedEntry) {
        guard let execution = entry.execution, let market = entry.market else {
            self.init(entry.admission)
            return
        }
        let outcome = execution.outcome
        let rests = outcome.code == .open
        self.init(
            entry.admission,
            state: CommandState(
                id: execution.id, market: market, code: outcome.code, filled: outcome.filled,
                remaining: rests ? outcome.remaining : .init(0), isResting: rests, closed: nil))
    }
}

extension EntranceFailure {
    fileprivate init(_ failure: DirectFailure) {
        switch failure {
        case .refused(let message), .unfit(let message): self = .refused(message)
        case .locked: self = .refused("\(failure); try again")
        case .conflict: self = .refused("\(failure); try again")
        case .unreachable(let message): self = .unreachable(message)
        case .cancelled: self = .unreachable("the matcher is ending")
        }
    }
}
