import OrderBook
public import Store

/// Enters and executes commands in one durable transaction per batch, of any number of markets.
///
/// Books stay in memory between batches, and a batch is matched while the one before is being committed. The rows are
/// the truth all the same: the first statement of each transaction locks the markets and proves that they stand where
/// memory has them; if not, everything in memory is dropped and the batch is executed again from the rows. What is not
/// plainly in order goes through `pgbook_data.enter`, like everybody else's commands.
///
/// It lives on the thread of its connection, which must be of the node's role and must not be used for anything else
/// between `submit` and `finish`.
public final class DirectExchange {
    let connection: StoreConnection
    let health: ExecutorHealth?
    let limits: ExchangeLimits
    private let origin: String
    private var clock: StampClock
    var markets = LiveMarkets()
    /// Sent, and not known to be durable yet.
    private var pending: DirectBatch?
    var completed: [ExecutedBatch] = []
    /// Batches to come whose ids are looked up first.
    private var checkedBatches = 0
    /// Moves that were not announced yet, and when the next announcement may be.
    private var notices = MarketNotices()
    private var nextNotice = ContinuousClock.now
    /// Where rows stand that change again and again.
    let places = RowPlaces()
    /// What others hold.
    var locks = LockWatch()
    /// Whether commands went into the inbox, where they wait for their turn.
    public private(set) var hasLogged = false

    /// - Parameter health: where it tells which markets' batches fail.
    public init(
        _ connection: StoreConnection, health: ExecutorHealth? = nil, limits: ExchangeLimits = ExchangeLimits()
    ) throws {
        self.connection = connection
        self.health = health
        self.limits = limits
        try connection.prepareForMatching(lockWait: limits.lockWait)
        let start = try connection.directStart()
        origin = start.origin
        clock = StampClock(now: start.now, last: start.stamp)
    }

    /// Enters and executes a batch. One commit at most is under way afterwards.
    /// - Parameter tag: comes back with the results.
    /// - Returns: the batches whose results are known now, oldest first.
    public func submit(_ entries: [Entry], tag: Int = 0) -> [ExecutedBatch] {
        relax()
        if locks.held.isEmpty {
            run(entries, tag: tag, waits: false)
        } else {
            try? settle()
            completed.append(goAround(entries, tag: tag))
        }
        return takeCompleted()
    }

    /// Waits for what is under way.
    public func finish() -> [ExecutedBatch] {
        try? settle()
        return takeCompleted()
    }

    /// Whether results are still to come.
    public var isBusy: Bool { pending != nil }

    /// Somebody else executed commands of these markets, and their books must be read anew.
    public func forget(_ number: MarketNumber) { markets.remove(number) }

    /// Hands the book of a market over, for a batch of the inbox. Nothing may be under way.
    func lend(_ number: MarketNumber) -> OrderBook? { markets.lend(number) }

    /// The book that was handed over does not hold.
    func giveUp(_ number: MarketNumber) { markets.giveUp(number) }

    /// Takes the book of a market back, or one that was loaded meanwhile; returns it where it is not wanted.
    func takeBack(_ book: consuming OrderBook, of number: MarketNumber) -> OrderBook? {
        let left = markets.takeBack(book, of: number)
        markets.trim(to: limits)
        return left
    }

    /// Notes that whoever executes the inbox knows of the commands that were logged.
    public func tookLogged() { hasLogged = false }

    /// When the moves that were not announced with their commits are to be announced; nil if there are none.
    ///
    /// Each announcement wakes everybody who listens, so under load there is not one for every commit.
    public var announcementDue: ContinuousClock.Instant? { notices.isEmpty ? nil : nextNotice }

    /// Announces what was not announced yet. Nothing may be under way.
    public func announce() throws { try connection.announce(takeNotices()) }

    private func takeNotices() -> MarketNotices {
        nextNotice = .now + limits.noticeInterval
        defer { notices = MarketNotices() }
        return notices
    }

    private func takeCompleted() -> [ExecutedBatch] {
        defer { completed = [] }
        return completed
    }
}

/// The batch before could not be committed as it was: what was matched behind it is void.
private struct Superseded: Error {}

/// Memory is behind the rows.
private struct Stale: Error {}

extension DirectExchange {
    /// Runs a batch until it is sent, or done where `waits`, or failed.
    func run(_ entries: [Entry], tag: Int, waits: Bool) {
        var failure = DirectFailure.conflict
        for attempt in 0..<limits.attemptsMax {
            do {
                // From the second time on the markets are locked first, so that nobody can be faster again.
                var batch = try match(entries, tag: tag, locksFirst: attempt > 0)
                try send(&batch)
                if waits { try conclude() }
                return
            } catch is Superseded {
                continue
            } catch is Stale {
                reset()
            } catch {
                reset()
                failure = DirectFailure(error)
                if case .locked = failure, connection.isUsable, !locks.isGoingAround {
                    completed.append(goAround(entries, tag: tag))
                    return
                }
                guard case .conflict = failure, connection.isUsable else { break }
                checkedBatches = limits.checkedBatches
            }
        }
        completed.append(divided(entries, tag: tag, after: failure))
    }

    private func reset() {
        connection.rollBack()
        markets.removeAll()
        places.forget()
    }

    /// Waits for the batch under way. If somebody was faster it is executed once more, from the rows.
    func settle() throws {
        guard let batch = pending else { return }
        do {
            try conclude()
        } catch {
            reset()
            switch DirectFailure(error) {
            case .conflict where connection.isUsable:
                checkedBatches = limits.checkedBatches
                run(batch.entries, tag: batch.tag, waits: true)
            case .locked where connection.isUsable:
                completed.append(goAround(batch.entries, tag: batch.tag))
            case let failure:
                completed.append(divided(batch.entries, tag: batch.tag, after: failure))
            }
            throw Superseded()
        }
    }

    /// Waits for the batch under way; what to do where it fails is the caller's.
    private func conclude() throws {
        guard let batch = pending else { return }
        pending = nil
        try connection.finishDirect(places)
        succeeded(batch)
    }

    /// Sends a batch that was matched.
    private func send(_ batch: inout DirectBatch) throws {
        try settle()
        if batch.runs.isEmpty {
            connection.rollBack()
        } else {
            var (writes, moves) = try batch.takeWrites(&notices)
            if ContinuousClock.now >= nextNotice { writes.notices = takeNotices() }
            try batch.transaction.send(writes, moves, stamp: clock.unnoted(), places: places)
        }
        markets.trim(to: limits)
        if batch.doubted.isEmpty, !batch.runs.isEmpty {
            pending = batch
        } else {
            if !batch.runs.isEmpty { try connection.finishDirect(places) }
            try enterDoubted(&batch)
            succeeded(batch)
        }
    }

    private func succeeded(_ batch: DirectBatch) {
        completed.append(batch.executed())
        guard let health else { return }
        for number in batch.runs.keys { health.succeeded(number, on: .direct) }
    }

    /// What is not plainly in order, and what must stay behind it, goes through the database's own entrance.
    private func enterDoubted(_ batch: inout DirectBatch) throws {
        guard !batch.doubted.isEmpty else { return }
        let entries = batch.doubted.map { batch.entries[$0] }
        let admissions: [Admission]
        do {
            admissions = try connection.enterAround(entries, waitsMax: limits.lockWaitsMax)
        } catch {
            guard case .refused = DirectFailure(error) else { throw error }
            // One statement refuses all of its commands for the fault of one.
            admissions = try entries.map(enterAlone)
        }
        for (position, admission) in zip(batch.doubted, admissions) {
            batch.answers[position] = .entered(admission)
            switch admission {
            case .admitted(_, isRetry: false): hasLogged = true
            case .refused(let rejection) where rejection.code == .busy: met(batch.entries[position])
            case .admitted, .refused: break
            }
        }
    }

    private func enterAlone(_ entry: Entry) throws -> Admission {
        do {
            return try connection.enterAround([entry], waitsMax: 1)[0]
        } catch {
            guard case .refused(let message) = DirectFailure(error) else { throw error }
            return .refused(Rejection(code: .badValue, message: "the database cannot store it: \(message)", field: nil))
        }
    }
}

// MARK: - Matching a batch

extension DirectExchange {
    private func match(_ entries: [Entry], tag: Int, locksFirst: Bool) throws -> DirectBatch {
        var batch = DirectBatch(entries, tag: tag, DirectTransaction(connection), firstStamp: clock.take(entries.count))
        try resolve(&batch)
        let touched = batch.touchedMarkets
        if locksFirst || needsRows(batch, touched) { try open(&batch, touched) }
        let known = try knownBefore(batch)
        var doubts = Doubts(known)
        let isWary = locks.isWary
        for position in entries.indices { classify(position, &batch, &doubts, isWary: isWary) }
        try loadNamed(&batch)
        for position in batch.plain { try execute(position, &batch) }
        return batch
    }

    /// Finds each entry's market: by its symbol, or by the order it names.
    func resolve(_ batch: inout DirectBatch) throws {
        if markets.directory.isEmpty { try learnMarkets() }
        var mayLearn = true
        for (position, entry) in batch.entries.enumerated() {
            if let target = entry.action.target {
                if let found = markets.find(target) {
                    batch.names[position] = NamedOrder(market: found.market, owner: found.owner)
                } else if let placed = batch.placed[target] {
                    let owner = batch.entries[placed].user
                    batch.names[position] = batch.places[placed].map { NamedOrder(market: $0, owner: owner) }
                } else {
                    batch.unknown.append(target)
                }
            } else if let symbol = entry.market {
                if markets.number(of: symbol) == nil, mayLearn {
                    // It may be new. Once per batch.
                    mayLearn = false
                    try learnMarkets()
                }
                batch.places[position] = markets.number(of: symbol)
                if case .place = entry.action, let id = entry.id { batch.placed[id] = position }
            }
        }
        guard !batch.unknown.isEmpty else { return }
        try settle()
        batch.located = Dictionary(
            try connection.locate(batch.unknown).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private func learnMarkets() throws {
        try settle()
        markets.learn(try connection.versionedMarkets())
    }

    /// Whether the batch needs rows that are not in memory, as far as can be said beforehand.
    private func needsRows(_ batch: DirectBatch, _ touched: [MarketNumber]) -> Bool {
        if !batch.located.isEmpty { return true }
        for number in touched {
            guard let live = markets[number] else { return true }
            if let expiry = live.nextExpiry, expiry <= batch.lastStamp { return true }
        }
        return batch.entries.indices.contains { position in
            guard case .cancelAll(let scope) = batch.entries[position].action, let number = batch.places[position]
            else {
                return false
            }
            return markets[number].map { !$0.book.hasAll(of: scope) } ?? true
        }
    }

    /// Begins the transaction, locks the markets and reads what is not in memory.
    private func open(_ batch: inout DirectBatch, _ touched: [MarketNumber]) throws {
        try settle()
        let taken = try batch.transaction.open(touched)
        for number in touched {
            guard let row = taken[number], let market = markets.directory[number] else { throw DirectFailure.conflict }
            if let live = markets[number] {
                let state = batch.runs[number]?.before ?? live.book.state
                if state == row.state {
                    try loadOverdue(live, row.nextExpiry, batch)
                    continue
                }
                // What was found in that book, or executed upon it, does not hold.
                markets.remove(number)
                throw Stale()
            }
            let live = LiveMarket(market, state: row.state, nextExpiry: row.nextExpiry)
            markets.insert(live)
            for side in Side.allCases { try loadBest(live, side, limits.rowsLoadedFirst) }
            try loadOverdue(live, row.nextExpiry, batch)
        }
    }

    private func loadOverdue(_ live: LiveMarket, _ nextExpiry: Timestamp?, _ batch: DirectBatch) throws {
        live.nextExpiry = nextExpiry
        guard let expiry = nextExpiry, expiry <= batch.lastStamp else { return }
        let through = max(batch.lastStamp, live.book.state.clock)
        live.book.load(named: try MatchingTransaction(connection, market: live.market.market).loadOverdue(through))
        live.nextExpiry = try connection.nextExpiry(live.number, after: through)
    }

    private func loadBest(_ live: LiveMarket, _ side: Side, _ rowsMax: Int) throws {
        try live.book.loadBest(side, MatchingTransaction(connection, market: live.market.market), rowsMax: rowsMax)
    }

    /// After an id was used twice: which ids of this batch stand in the log.
    private func knownBefore(_ batch: DirectBatch) throws -> (ids: Set<OrderID>, keys: Set<ClientOrderKey>)? {
        guard checkedBatches > 0 else { return nil }
        checkedBatches -= 1
        let ids = batch.entries.compactMap(\.id)
        let keys = batch.entries.compactMap(\.clientOrderKey)
        guard !ids.isEmpty || !keys.isEmpty else { return ([], []) }
        if !batch.transaction.isOpen { try settle() }
        return try connection.knownCommands(ids, keys)
    }

    /// Decides whether an entry is plainly in order.
    /// - Parameter isWary: whether others may hold what it needs.
    private func classify(_ position: Int, _ batch: inout DirectBatch, _ doubts: inout Doubts, isWary: Bool) {
        let entry = batch.entries[position]
        if isWary, locks.isUsedElsewhere(entry) {
            batch.answers[position] = .entered(.refused(entry.busy))
            return
        }
        guard !doubts.mustDoubt(entry), !(isWary && locks.mayCollide(entry)),
            let (number, time) = market(of: position, batch, doubts),
            let live = markets[number],
            let action = EntryCheck(market: live.market, isHalted: live.book.state.isHalted).action(entry, time: time)
        else {
            doubts.doubted(entry)
            batch.doubted.append(position)
            return
        }
        let id = entry.id ?? OrderID.random(time)
        batch.commands[position] = (
            number,
            Command(
                id: id, time: time, market: live.market.market.symbol, user: entry.user, origin: origin,
                clientOrderID: entry.clientOrderID, action: action)
        )
        batch.plain.append(position)
    }

    /// The market of an entry that may go on: it is named, or the order it names is there and is its user's.
    private func market(
        of position: Int, _ batch: DirectBatch, _ doubts: Doubts
    ) -> (MarketNumber, Timestamp)? {
        let entry = batch.entries[position]
        let time = batch.stamp(of: position)
        guard let target = entry.action.target else { return batch.places[position].map { ($0, time) } }
        let number: MarketNumber
        if let located = batch.located[target] {
            guard located.isExecuted, located.user == entry.user else { return nil }
            number = located.market
        } else {
            guard let named = batch.names[position], named.owner == entry.user, !doubts.contains(target) else {
                return nil
            }
            number = named.market
        }
        if let symbol = entry.market, markets.number(of: symbol) != number { return nil }
        return (number, time)
    }

    /// Rows of the orders that the batch names and memory does not know, and of the users whose orders it cancels.
    private func loadNamed(_ batch: inout DirectBatch) throws {
        for (number, ids) in batch.namedOrders() {
            guard let live = markets[number] else { throw DirectFailure.conflict }
            let (resting, closed) = try MatchingTransaction(connection, market: live.market.market).loadNamed(ids)
            live.book.load(named: resting)
            live.book.learn(closed: closed)
        }
        for position in batch.plain {
            guard let (number, command) = batch.commands[position], case .cancelAll(let scope) = command.action,
                let live = markets[number]
            else { continue }
            let transaction = MatchingTransaction(connection, market: live.market.market)
            try live.book.loadOwned(scope, transaction, limits)
        }
    }

    private func execute(_ position: Int, _ batch: inout DirectBatch) throws {
        guard let (number, command) = batch.commands[position], let live = markets[number] else {
            throw DirectFailure.conflict
        }
        batch.begin(live)
        var rowsMax = limits.rowsLoadedMore
        while let side = live.book.shortage(for: command) {
            if !batch.transaction.isOpen { try open(&batch, batch.touchedMarkets) }
            try loadBest(live, side, rowsMax)
            rowsMax = min(rowsMax * 2, limits.rowsLoadedMax)
        }
        batch.execute(command, position, live)
    }
}
