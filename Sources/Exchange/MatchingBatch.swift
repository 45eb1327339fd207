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

    public init(_ transaction: MatchingTransaction, due: Due, limits: ExchangeLimits) {
        self.transaction = transaction
        self.limits = limits
        self.due = due
    }

    /// Runs the whole transaction.
    /// - Parameters:
    ///   - waits: whether to wait for a matcher that has the market, or to leave it alone.
    ///   - care: what is left for later batches.
    /// - Returns: nil if another matcher has the market or nothing is due.
    /// - Throws: with the transaction rolled back, except where its commit is unknown.
    public func run(waits: Bool = false, care: Care = .none) throws -> Report? {
        do {
            guard
                let batch = try transaction.begin(
                    cutoff: due.cutoff, commandsMax: limits.commandsPerBatchMax, rowsMax: limits.rowsLoadedFirst,
                    waits: waits)
            else { return nil }
            return try execute(batch, care)
        } catch {
            transaction.rollback()
            throw error
        }
    }

    private func execute(_ batch: MatchingTransaction.Batch, _ care: Care) throws -> Report {
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
            return Report(
                commands: 0, trades: 0, late: 0, seq: batch.state.seq, isFull: !left.isEmpty, setAside: setAside)
        }
        var report = try execute(Array(commands), of: batch, leaves: !left.isEmpty)
        report.setAside = setAside
        return report
    }

    /// - Parameter leaves: whether due commands were put back.
    private func execute(
        _ commands: [Command], of batch: MatchingTransaction.Batch, leaves: Bool
    ) throws -> Report {
        let closedThrough = due.closedThrough.map { max($0, batch.closedThrough) }
        var book = OrderBook(state: batch.state, completeness: .unloaded, limits: transaction.market.limits)
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
            journal, book.takeChanges(), state: book.state,
            closedThrough: leaves
                ? batch.closedThrough : closed(batch, last: commands.last!.time, isFull: isFull))
        return Report(
            commands: commands.count, trades: journal.trades.count, late: late, seq: book.state.seq, isFull: isFull)
    }

    /// Up to where pools are closed once this batch has run: to its cutoff, or to its last pool if there may be more.
    private func closed(_ batch: MatchingTransaction.Batch, last: Timestamp, isFull: Bool) -> Timestamp {
        guard let through = due.closedThrough else { return batch.closedThrough }
        return max(batch.closedThrough, through, isFull ? last : due.cutoff)
    }

    private func load(_ batch: MatchingTransaction.Batch, _ commands: [Command], into book: inout OrderBook) throws {
        book.load(batch.bids.rows, side: .bid, reachesEnd: batch.bids.reachesEnd)
        book.load(batch.asks.rows, side: .ask, reachesEnd: batch.asks.reachesEnd)
        book.load(named: batch.overdue)
        let targets = commands.compactMap(\.action.target)
        if !targets.isEmpty {
            let (resting, closed) = try transaction.loadNamed(targets)
            book.load(named: resting)
            book.learn(closed: closed)
        }
        for scope in Set(commands.compactMap(\.action.scope)) {
            book.load(named: try transaction.loadOwned(scope))
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
            let more = try transaction.loadBest(side, beyond: book.horizon(of: side), rowsMax: rowsMax)
            book.load(more.rows, side: side, reachesEnd: more.reachesEnd)
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
