public import OrderBook
public import Store

/// One batch of one market: IO first, then decide, then IO. The deciding is `OrderBook`'s alone.
public struct MatchingBatch {
    /// What a batch did, for logs and metrics.
    public struct Report: Sendable {
        public var commands: Int
        public var trades: Int
        public var late: Int
        /// The market's execution number after the batch.
        public var seq: Seq
        /// Whether there may be more to do at once.
        public var isFull: Bool
        /// Commands that were refused without being executed, because they cannot be.
        public var setAside: [SetAside] = []
    }

    /// How much of what is due is executed, once a batch failed for the fault of one of its commands.
    public enum Care: Hashable, Sendable {
        case none
        /// The first so many.
        case atMost(Int)
        /// None: the first alone is refused, for this reason.
        case refusingFirst(String)
    }

    /// Which commands of a market are due.
    public struct Due: Sendable {
        /// Commands stamped later wait.
        public var cutoff: Timestamp
        /// With a window: a command that shows up stamped at or before this is late. Nil without a window.
        public var closedThrough: Timestamp?

        /// No command stamped then or earlier waits.
        public var floor = Timestamp(Int64.min)

        /// In a cluster: whether commands are compared with those of other nodes that use the same client order id.
        public var isShared = false

        /// Without a window everything visible is due, and nothing is late.
        public static let everything = Due(cutoff: Timestamp(Int64.max), closedThrough: nil)

        public init(cutoff: Timestamp, closedThrough: Timestamp?) {
            self.cutoff = cutoff
            self.closedThrough = closedThrough
        }

        /// In a cluster: what its nodes closed. Nothing is late then.
        public init(closed: Timestamp) {
            self.init(cutoff: closed, closedThrough: nil)
            isShared = true
        }
    }

    private let transaction: MatchingTransaction
    private let limits: ExchangeLimits
    private let due: Due
    private let memory: BookMemory?

    /// - Parameter memory: where the market's book may stand from the batch before, and is put after this one.
    public init(_ transaction: MatchingTransaction, due: Due, limits: ExchangeLimits, memory: BookMemory? = nil) {
        self.transaction = transaction
        self.limits = limits
        self.due = due
        self.memory = memory
    }

    /// Runs the whole transaction.
    /// - Parameters:
    ///   - waits: whether to wait for a matcher that has the market, or to leave it alone.
    ///   - care: what is left for later batches.
    /// - Returns: nil if another matcher has the market or nothing is due.
    /// - Throws: with the transaction rolled back, except where its commit is unknown.
    public func run(waits: Bool = false, care: Care = .none) throws -> Report? {
        var remembered = memory?.take(transaction.market.number)
        do {
            let state = remembered?.state
            guard
                let batch = try transaction.begin(
                    cutoff: due.cutoff, floor: due.floor, commandsMax: limits.commandsPerBatchMax,
                    rowsMax: limits.rowsLoadedFirst, waits: waits, needsRows: { $0 != state })
            else {
                if let book = remembered.take() { memory?.keep(book, of: transaction.market.number) }
                return nil
            }
            let isFromMemory = batch.state == state
            if !isFromMemory { memory?.giveUp(transaction.market.number) }
            do {
                return try execute(
                    batch, care,
                    isFromMemory
                        ? remembered.take()!
                        : OrderBook(
                            state: batch.state, completeness: .unloaded, limits: transaction.market.limits))
            } catch  where isFromMemory && transaction.isConflict(error) {
                // The rows are not what memory had: once more from them.
                transaction.rollback()
                memory?.places.forget()
            }
        } catch {
            transaction.rollback()
            memory?.places.forget()
            throw error
        }
        return try run(waits: waits, care: care)
    }

    private func execute(
        _ batch: MatchingTransaction.Batch, _ care: Care, _ remembered: consuming OrderBook
    ) throws -> Report {
        var commands = batch.commands.sorted(by: Command.executesBefore)[...]
        var setAside = batch.unreadable
        let left: ArraySlice<Command>
        switch care {
        case .none: left = []
        case .atMost(let count):
            left = commands.dropFirst(count)
            commands = commands.prefix(count)
        case .refusingFirst(let reason):
            if let first = commands.first {
                setAside.append(SetAside(id: first.id, code: .unexecutable, reason: reason))
            }
            left = commands.dropFirst()
            commands = []
        }
        try transaction.putBack(left)
        try transaction.setAside(setAside)
        guard !commands.isEmpty else {
            try transaction.commitUnexecuted()
            memory?.keep(remembered, of: transaction.market.number)
            return Report(
                commands: 0, trades: 0, late: 0, seq: batch.state.seq, isFull: !left.isEmpty, setAside: setAside)
        }
        var report = try execute(Array(commands), of: batch, remembered, leaves: !left.isEmpty)
        report.setAside = setAside
        return report
    }

    /// - Parameter leaves: whether due commands were put back.
    private func execute(
        _ commands: [Command], of batch: MatchingTransaction.Batch, _ remembered: consuming OrderBook, leaves: Bool
    ) throws -> Report {
        let closedThrough = due.closedThrough.map { max($0, batch.closedThrough) }
        var book = remembered
        try load(batch, commands, into: &book)
        let duplicates = due.isShared ? try duplicates(among: commands) : []
        var late = 0
        for command in commands {
            try loadDeeper(for: command, into: &book)
            let isLate = closedThrough.map { command.time <= $0 } ?? false
            late += isLate ? 1 : 0
            _ = book.execute(command, isLate: isLate, isDuplicate: duplicates.contains(command.id))
        }
        let isFull = leaves || commands.count >= limits.commandsPerBatchMax
        let journal = book.takeJournal()
        try transaction.commit(
            journal, book.takeChanges(), before: batch.state.seq, state: book.state,
            closedThrough: leaves
                ? batch.closedThrough : closed(batch, last: commands.last!.time, isFull: isFull),
            places: memory?.places)
        let report = Report(
            commands: commands.count, trades: journal.trades.count, late: late, seq: book.state.seq, isFull: isFull)
        memory?.keep(book, of: transaction.market.number)
        return report
    }

    /// Up to where pools are closed once this batch has run: to its cutoff, or to its last pool if there may be more.
    private func closed(_ batch: MatchingTransaction.Batch, last: Timestamp, isFull: Bool) -> Timestamp {
        guard let through = due.closedThrough else { return batch.closedThrough }
        return max(batch.closedThrough, through, isFull ? last : due.cutoff)
    }

    private func load(_ batch: MatchingTransaction.Batch, _ commands: [Command], into book: inout OrderBook) throws {
        if let bids = batch.bids { book.load(bids.rows, side: .bid, reachesEnd: bids.reachesEnd) }
        if let asks = batch.asks { book.load(asks.rows, side: .ask, reachesEnd: asks.reachesEnd) }
        book.load(named: batch.overdue)
        let targets = commands.compactMap(\.action.target).filter { !book.knows($0) }
        if !targets.isEmpty {
            let (resting, closed) = try transaction.loadNamed(targets)
            book.load(named: resting)
            book.learn(closed: closed)
        }
        for scope in Set(commands.compactMap(\.action.scope)) {
            try book.loadOwned(scope, transaction, limits)
        }
    }

    /// Commands whose client order id was used by one that is executed before, in this market or another. All nodes have
    /// the same commands up to the cutoff, whatever of them they have executed.
    private func duplicates(among commands: [Command]) throws -> Set<OrderID> {
        let named = commands.filter { $0.clientOrderID != nil }
        guard !named.isEmpty else { return [] }
        let uses = try transaction.uses(ofIDsIn: named)
        return Set(
            uses.filter { Command.executesBefore($0.command, named[$0.position]) }.map { named[$0.position].id })
    }

    private func loadDeeper(for command: Command, into book: inout OrderBook) throws {
        var rowsMax = limits.rowsLoadedMore
        while let side = book.shortage(for: command) {
            try book.loadBest(side, transaction, rowsMax: rowsMax)
            rowsMax = min(rowsMax * 2, limits.rowsLoadedMax)
        }
    }
}

extension Command.Action {
    /// The order that a cancel or an amend is about.
    fileprivate var target: OrderID? {
        switch self {
        case .amend(let amend): amend.target
        case .cancel(let target): target
        case .place, .cancelAll, .halt, .resume, .expire: nil
        }
    }

    fileprivate var scope: CancelAll? {
        if case .cancelAll(let scope) = self { scope } else { nil }
    }
}
