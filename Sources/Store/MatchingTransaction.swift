public import OrderBook
public import Postgres

/// The matching transaction's side of the database, for one batch of one market:
/// `begin` → `load…` → `commit`, or `rollback` at any point before.
///
/// All of it runs on the thread that owns the connection. Nothing is visible to others before `commit` returns.
public struct MatchingTransaction {
    private let connection: Connection
    public let market: Market

    /// What a market's lock and inbox gave.
    public struct Batch: Sendable {
        public var state: MarketState
        /// Pools up to this time were closed by earlier batches.
        public var closedThrough: Timestamp
        /// Whole pools, by time; inside a pool in no particular order.
        public var commands: [Command]
        /// What was due and cannot be read.
        public var unreadable: [SetAside]
        /// The best rows of both sides, best first, to begin with; nil where they were not wanted.
        public var bids: LoadedRows?
        public var asks: LoadedRows?
        /// gtd orders whose time is at or before the latest command's.
        public var overdue: [RestingOrder]
    }

    /// Rows of one side, best first.
    public struct LoadedRows: Sendable {
        public var rows: [RestingOrder]
        /// Whether there are no further rows on that side.
        public var reachesEnd: Bool
    }

    public init(_ connection: Connection, market: Market) {
        self.connection = connection
        self.market = market
    }

    /// Begins the transaction, locks the market and takes what is due.
    /// - Parameters:
    ///   - cutoff: commands stamped later stay in the inbox.
    ///   - floor: no command stamped then or earlier waits.
    ///   - commandsMax: about how many commands; the last pool is taken whole.
    ///   - rowsMax: how many rows of each side to load to begin with.
    ///   - waits: whether to wait for a matcher that has the market.
    ///   - needsRows: whether the best rows are wanted of a market that stands there.
    /// - Returns: nil, with nothing begun, if another matcher has the market or nothing is due.
    public func begin(
        cutoff: Timestamp, floor: Timestamp = Timestamp(Int64.min), commandsMax: Int, rowsMax: Int, waits: Bool,
        needsRows: (MarketState) -> Bool = { _ in true }
    ) throws -> Batch? {
        let lock = waits ? SQL.waitForMarket : SQL.lockMarket
        let locked = try connection.pipeline { pipeline in
            try pipeline.begin()
            try pipeline.send(lock, market.number.rawValue)
        }
        guard let row = locked[1].first else {
            rollback()
            return nil
        }
        let (state, closedThrough) = try MarketState.decode(row)
        let due = try connection.execute(
            SQL.takeDue, market.number.rawValue, cutoff.postgres, Int64(commandsMax), floor.postgres)
        guard !due.isEmpty else {
            rollback()
            return nil
        }
        var commands: [Command] = []
        commands.reserveCapacity(due.count)
        var unreadable: [SetAside] = []
        for row in due {
            var columns = row.reader()
            let id = OrderID(try columns.next(PostgresUUID.self))
            do {
                if let fault = try columns.next(String?.self) { throw StoreFault(fault) }
                commands.append(try Command.decode(&columns, market: market.symbol))
            } catch {
                unreadable.append(SetAside(id: id, code: .unreadable, reason: plainReason(error)))
            }
        }
        let clock = max(state.clock, commands.map(\.time).max() ?? state.clock)
        return try loadFirst(
            state, closedThrough, commands, unreadable, clock: clock, rowsMax: needsRows(state) ? rowsMax : nil)
    }

    private func loadFirst(
        _ state: MarketState, _ closedThrough: Timestamp, _ commands: [Command], _ unreadable: [SetAside],
        clock: Timestamp, rowsMax: Int?
    ) throws -> Batch {
        let number = market.number.rawValue
        guard let rowsMax else {
            return Batch(
                state: state, closedThrough: closedThrough, commands: commands, unreadable: unreadable,
                overdue: try loadOverdue(clock))
        }
        let results = try connection.pipeline { pipeline in
            try pipeline.send(SQL.loadBest, number, Int16(0), Int64.min, Int64.min, Int64(rowsMax))
            try pipeline.send(SQL.loadBest, number, Int16(1), Int64.min, Int64.min, Int64(rowsMax))
            try pipeline.send(SQL.loadOverdue, number, clock.postgres)
        }
        let (bids, asks, overdue) = (results[0], results[1], results[2])
        return Batch(
            state: state, closedThrough: closedThrough, commands: commands, unreadable: unreadable,
            bids: LoadedRows(rows: try bids.map(RestingOrder.decode), reachesEnd: bids.count < rowsMax),
            asks: LoadedRows(rows: try asks.map(RestingOrder.decode), reachesEnd: asks.count < rowsMax),
            overdue: try overdue.map(RestingOrder.decode))
    }

    /// The next rows of a side beyond a place in its queue.
    /// - Parameter locks: whether they are locked; it takes a write for each.
    public func loadBest(
        _ side: Side, beyond place: (price: PriceTicks, priority: Seq)?, rowsMax: Int, locks: Bool = true
    ) throws -> LoadedRows {
        let rank = place.map { side == .bid ? -$0.price.rawValue : $0.price.rawValue } ?? .min
        let rows = try connection.execute(
            locks ? SQL.loadBest : SQL.verifyBook, market.number.rawValue, Int16(side.rawValue), rank,
            place?.priority.rawValue ?? .min,
            Int64(rowsMax))
        return LoadedRows(rows: try rows.map(RestingOrder.decode), reachesEnd: rows.count < rowsMax)
    }

    /// gtd orders whose time is at or before a time, locked.
    public func loadOverdue(_ through: Timestamp) throws -> [RestingOrder] {
        try connection.execute(SQL.loadOverdue, market.number.rawValue, through.postgres).map(RestingOrder.decode)
    }

    /// Rows by id, locked; and who owns those of the others that were executed before but do not rest.
    public func loadNamed(_ ids: [OrderID]) throws -> (resting: [RestingOrder], closed: [(id: OrderID, user: UserID)]) {
        let uuids = ids.map(\.uuid)
        let results = try connection.pipeline { pipeline in
            try pipeline.send(SQL.loadNamed, market.number.rawValue, uuids)
            try pipeline.send(SQL.findClosed, market.number.rawValue, uuids)
        }
        let orders = try results[0].map(RestingOrder.decode)
        let open = Set(orders.map(\.id))
        let closed = try results[1].map { row in
            (id: OrderID(try row.decode(PostgresUUID.self, at: 0)), user: UserID(try row.decode(String.self, at: 1)))
        }
        return (orders, closed.filter { !open.contains($0.id) })
    }

    /// The rows a cancel-all is about, locked.
    public func loadOwned(_ scope: CancelAll) throws -> [RestingOrder] {
        try connection.execute(
            SQL.loadOwned, market.number.rawValue, scope.owner?.rawValue, scope.side.map { Int16($0.rawValue) }
        ).map(RestingOrder.decode)
    }

    /// In a cluster: for commands that bring their users' own ids, the accepted ones that use the same id and are executed
    /// before them or with them.
    /// - Returns: the position of the command in the list, and one that uses its id.
    public func uses(ofIDsIn commands: [Command]) throws -> [(position: Int, command: Command)] {
        try connection.execute(
            SQL.earlierUses, commands.map(\.id.uuid), commands.map(\.time.postgres), commands.map(\.user.rawValue),
            commands.map(\.clientOrderID)
        ).compactMap { row in
            var columns = row.reader()
            let position = Int(try columns.next(Int64.self)) - 1
            let market = try columns.next(String.self)
            // What cannot be read is executed nowhere, so it used nothing.
            guard let command = try? Command.decode(&columns, market: market) else { return nil }
            return (position, command)
        }
    }

    /// Puts commands back that were taken as due.
    public func putBack(_ commands: some Collection<Command>) throws {
        guard !commands.isEmpty else { return }
        try connection.execute(
            SQL.putBack, market.number.rawValue, commands.map(\.time.postgres), commands.map(\.id.uuid))
    }

    /// Refuses commands that were taken as due without executing them.
    public func setAside(_ commands: [SetAside]) throws {
        guard !commands.isEmpty else { return }
        try connection.execute(
            SQL.setAside, market.number.rawValue, commands.map(\.id.uuid), commands.map(\.code.rawValue),
            commands.map(\.reason))
    }

    /// Commits what was put back and set aside, where nothing was executed.
    public func commitUnexecuted() throws {
        try connection.pipeline { pipeline in try pipeline.commit() }
    }

    /// Writes everything a batch did, and commits.
    /// - Parameters:
    ///   - before: the market's execution number as `begin` found it.
    ///   - places: where rows stand; hears where they stand then.
    public func commit(
        _ journal: Journal, _ changes: BookChanges, before: Seq, state: MarketState, closedThrough: Timestamp,
        places: RowPlaces? = nil
    ) throws {
        var writes = BatchWrites()
        try writes.add(journal, changes, logs: nil, of: market)
        writes.notices.add(market, at: state, traded: !journal.trades.isEmpty)
        try writes.prepare(connection)
        if writes.needsCopy { try writes.copyMany(over: connection) }
        let results = try connection.pipeline { pipeline in
            try writes.sendRest(into: &pipeline, places: places)
            try pipeline.send(
                SQL.saveState, market.number.rawValue, state.seq.rawValue, state.tradeID.rawValue,
                state.lastPrice?.rawValue, state.clock.postgres, closedThrough.postgres, state.isHalted,
                state.digest.bytes, before.rawValue)
            try pipeline.commit()
        }
        try places?.learn(results)
    }

    /// Whether an error says that the rows are not what memory has.
    public func isConflict(_ error: any Error) -> Bool {
        guard let error = error as? PostgresError else { return false }
        return error.isConflict && !error.isLockTimeout
    }

    /// Gives the market back; nothing of the batch remains.
    public func rollback() {
        connection.rollback()
    }
}
