import OrderBook
public import Postgres

extension Connection {
    /// Sets this session up for the sidecar that sits there: nobody else's writes come after this.
    public func beginSidecar(_ seat: SidecarSeat) throws {
        try prepareForMatching()
        try recordType(LogRows.rowType)
        try execute(SQL.takeSeat, seat.id)
        try execute(SQL.adoptWaiting)
    }

    /// Makes this database a node of a cluster.
    /// - Parameter window: microseconds.
    public func createCluster(id: String, node: String, members: [String], window: Int64) throws {
        try execute(SQL.createCluster, id, node, members, window)
    }

    /// Adds those of a cluster's members that this node does not know yet.
    public func addMembers(_ members: [String]) throws { try execute(SQL.addMembers, members) }

    /// Writes all of it, in order, in one transaction; it is durable when this returns.
    /// - Parameter seat: nothing is written where it is another's by now.
    /// - Returns: what was to be accepted and is stored as `duplicate` instead, because a command with its id was executed
    ///   or closed before; a span for each.
    @discardableResult
    public func write(_ writes: [ClusterWrite], from seat: SidecarSeat? = nil) throws -> [LogSpan] {
        guard !writes.isEmpty else { return [] }
        try recordType(LogRows.rowType)
        do {
            var answering: [Int] = []
            let results = try pipeline { pipeline in
                try pipeline.begin()
                if let seat { try pipeline.send(SQL.proveSeat, seat.id) }
                for write in writes {
                    if write.mayFindDuplicates { answering.append(pipeline.count) }
                    try pipeline.send(write)
                }
                try pipeline.commit()
            }
            return try answering.flatMap { index in
                try results[index].map { row in
                    let number: Int64 = try row.decode(at: 1)
                    return LogSpan(origin: try row.decode(at: 0), numbers: number...number)
                }
            }
        } catch {
            rollback()
            throw error
        }
    }

    /// Adds a market that a peer has; does nothing where it is here and the same.
    /// - Throws: a `StoreError` that names the difference, where it is here and another.
    public func addMarketFromPeer(_ market: SharedMarket) throws {
        do {
            try execute(
                SQL.addMarketFromPeer, market.symbol, market.tickSize, market.lotSize, market.maxAmount,
                market.maxNotional, market.minPrice, market.maxPrice)
        } catch {
            guard error.sqlState == SQLState("PB902") || error.isOfUnfitValue else { throw error }
            throw StoreError(.mismatch, error.message)
        }
    }
}

extension PostgresError {
    /// A value that its type or a constraint does not take: whoever told it is wrong, not the database.
    fileprivate var isOfUnfitValue: Bool {
        kind == .server && (sqlState?.errorClass == "22" || sqlState?.errorClass == "23")
    }
}

extension ClusterWrite {
    fileprivate var mayFindDuplicates: Bool {
        switch self {
        case .number, .store: true
        case .refuse, .close, .bound, .agreed, .admit, .propose, .withdraw, .heard: false
        }
    }
}

extension Pipeline {
    /// One statement.
    fileprivate mutating func send(_ write: ClusterWrite) throws {
        switch write {
        case .number(let items): try number(items)
        case .store(let items): try send(SQL.storeItems, LogRows.records(items, &self))
        case .refuse(let spans, let reason):
            try send(
                SQL.refuseItems, spans.map(\.origin), spans.map(\.numbers.lowerBound), spans.map(\.numbers.upperBound),
                reason.rawValue)
        case .close(let through, let chain): try send(SQL.closePools, through.postgres, chain?.bytes)
        case .bound(let time): try send(SQL.setBound, time.postgres)
        case .agreed(let time): try send(SQL.setAgreed, time.postgres)
        case .admit(let admits, let reason): try send(SQL.setAdmits, admits, admits ? nil : reason)
        case .propose(let commands, let origin):
            let items = commands.map { LoggedItem(number: 0, command: $0) }
            try send(SQL.addProposals, LogRows.records(items, origin: origin, &self))
        case .withdraw(let ids): try send(SQL.withdrawProposals, ids.map(\.uuid))
        case .heard: try send(SQL.noteHeard)
        }
    }

    private mutating func number(_ items: [LoggedItem]) throws {
        try send(
            SQL.numberItems, items.map(\.command.id.uuid), items.map(\.number), items.map(\.command.time.postgres),
            items.map(\.isUnconfirmed), items.map { $0.refusal?.rawValue })
    }
}
