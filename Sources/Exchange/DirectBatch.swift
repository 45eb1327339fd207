import OrderBook
import Store

/// A batch on its way through a direct exchange.
struct DirectBatch {
    let tag: Int
    let entries: [Entry]
    var transaction: DirectTransaction
    private let firstStamp: Timestamp

    // What the entries are about.
    var places: [MarketNumber?]
    var names: [NamedOrder?]
    /// Orders that are named and that memory does not know; and what the log says of them.
    var unknown: [OrderID] = []
    var located: [OrderID: LocatedOrder] = [:]
    /// Positions of the orders placed by this batch.
    var placed: [OrderID: Int] = [:]

    /// Positions of the entries to be executed, and of those left to `pgbook_data.enter`.
    var plain: [Int] = []
    var doubted: [Int] = []
    var commands: [(MarketNumber, Command)?]

    // What became of them.
    var answers: [Answer?]
    var runs: [MarketNumber: MarketRun] = [:]
    private var moves: [MarketMove] = []

    enum Answer {
        case executed(MarketNumber, execution: Int, trades: Range<Int>)
        case entered(Admission)
    }

    init(_ entries: [Entry], tag: Int, _ transaction: DirectTransaction, firstStamp: Timestamp) {
        self.tag = tag
        self.entries = entries
        self.transaction = transaction
        self.firstStamp = firstStamp
        places = Array(repeating: nil, count: entries.count)
        names = Array(repeating: nil, count: entries.count)
        commands = Array(repeating: nil, count: entries.count)
        answers = Array(repeating: nil, count: entries.count)
        plain.reserveCapacity(entries.count)
    }

    func stamp(of position: Int) -> Timestamp { Timestamp(firstStamp.rawValue + Int64(position)) }

    var lastStamp: Timestamp { stamp(of: max(0, entries.count - 1)) }

    /// Every market that some entry is about, by number.
    var touchedMarkets: [MarketNumber] {
        var touched = Set(places.compactMap(\.self))
        for case let named? in names { touched.insert(named.market) }
        for located in located.values { touched.insert(located.market) }
        return touched.sorted()
    }

    /// The market that an entry is about, as far as is known.
    func market(of position: Int) -> MarketNumber? {
        places[position] ?? names[position]?.market
            ?? entries[position].action.target.flatMap { located[$0]?.market }
    }

    /// Orders to be loaded, by market.
    func namedOrders() -> [MarketNumber: [OrderID]] {
        guard !located.isEmpty else { return [:] }
        return Dictionary(grouping: located.values.filter(\.isExecuted), by: \.market).mapValues { $0.map(\.id) }
    }
}

/// The order that an amend or a cancel is about.
struct NamedOrder {
    var market: MarketNumber
    var owner: UserID
}

/// What a batch does to one market.
struct MarketRun {
    var live: LiveMarket
    var before: MarketState
    var commands: [Command] = []
    /// Filled once all is executed.
    var journal = Journal()
}

extension DirectBatch {
    /// The market is about to be changed.
    mutating func begin(_ live: LiveMarket) {
        if runs[live.number] == nil { runs[live.number] = MarketRun(live: live, before: live.book.state) }
    }

    mutating func execute(_ command: Command, _ position: Int, _ live: LiveMarket) {
        let trades = live.book.journal.trades.count
        let execution = live.book.journal.executions.count
        live.book.execute(command)
        runs[live.number]!.commands.append(command)
        answers[position] = .executed(
            live.number, execution: execution, trades: trades..<live.book.journal.trades.count)
    }

    /// Takes what executing did out of the books.
    /// - Parameter notices: what there is to announce is added to it.
    mutating func takeWrites(
        _ notices: inout MarketNotices
    ) throws(Overflow) -> (BatchWrites, [DirectTransaction.Move]) {
        var writes = BatchWrites()
        var moves: [DirectTransaction.Move] = []
        for number in runs.keys.sorted() {
            let run = runs[number]!
            let journal = run.live.book.takeJournal()
            let changes = run.live.book.takeChanges()
            try writes.add(journal, changes, logs: run.commands, of: run.live.market.market)
            self.moves.append(
                MarketMove(
                    market: number, before: run.before.seq, after: run.live.book.state.seq, journal, changes))
            moves.append(
                DirectTransaction.Move(market: run.live.market, before: run.before, after: run.live.book.state))
            notices.add(run.live.market.market, at: run.live.book.state, traded: !journal.trades.isEmpty)
            runs[number]!.journal = journal
            runs[number]!.commands = []
        }
        return (writes, moves)
    }

    func executed() -> ExecutedBatch {
        ExecutedBatch(tag: tag, outcome: .success(results()), moves: moves)
    }

    private func results() -> [ExecutedEntry] {
        answers.enumerated().map { position, answer in
            switch answer {
            case .executed(let number, let execution, let trades)?:
                let journal = runs[number]!.journal
                let execution = journal.executions[execution]
                return ExecutedEntry(
                    admission: .admitted(execution.id, isRetry: false), market: number, execution: execution,
                    trades: journal.trades[trades])
            case .entered(let admission)?:
                return ExecutedEntry(admission: admission)
            case nil:
                preconditionFailure("entry \(position) was neither executed nor entered")
            }
        }
    }
}

/// Who may not pass: the ids that stand in the log, and everything that must stay behind an entry that was doubted.
struct Doubts {
    private var users: Set<UserID> = []
    private var orders: Set<OrderID> = []
    private var known: (ids: Set<OrderID>, keys: Set<ClientOrderKey>)?

    init(_ known: (ids: Set<OrderID>, keys: Set<ClientOrderKey>)?) { self.known = known }

    func contains(_ order: OrderID) -> Bool { !orders.isEmpty && orders.contains(order) }

    mutating func doubted(_ entry: Entry) {
        users.insert(entry.user)
        if let id = entry.id { orders.insert(id) }
    }

    /// Whether the entry must go the long way whatever it says.
    mutating func mustDoubt(_ entry: Entry) -> Bool {
        if !users.isEmpty, users.contains(entry.user) { return true }
        guard known != nil else { return false }
        // Whoever comes second with an id is doubted as well.
        if let id = entry.id, !known!.ids.insert(id).inserted { return true }
        if let key = entry.clientOrderKey, !known!.keys.insert(key).inserted { return true }
        return false
    }
}

extension Entry {
    var clientOrderKey: ClientOrderKey? {
        clientOrderID.map { ClientOrderKey(user: user, clientOrderID: $0) }
    }
}

extension Entry.Action {
    /// The order that it names.
    var target: OrderID? {
        switch self {
        case .amend(let target, _, _), .reduce(let target, _), .replace(let target, _, _), .cancel(let target): target
        case .place, .cancelAll, .halt, .resume, .expire: nil
        }
    }
}
