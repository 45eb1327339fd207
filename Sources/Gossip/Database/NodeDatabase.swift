public import OrderBook
public import Replication
public import Store

/// A node's database as its machine sees it: effects in, facts out. It lives on the thread of its connection.
public struct NodeDatabase {
    private let connection: StoreConnection
    private let seat: SidecarSeat
    private var outbox = OutboxReader()

    /// - Parameter configuration: of the connection; another one holds the place.
    /// - Returns: nil where another sidecar has the database.
    /// - Throws: a `StoreError` where the database is no node of a cluster.
    public init?(claiming connection: StoreConnection, _ configuration: StoreConfiguration) throws {
        guard try connection.clusterState() != nil else {
            throw StoreError(.notMigrated, "this database is no node of a cluster; make it one: pgbook cluster init")
        }
        guard let seat = try SidecarSeat(configuration) else { return nil }
        try connection.beginSidecar(seat)
        self.connection = connection
        self.seat = seat
    }

    /// Who this node is, who the others are, and how long commands wait.
    public func configuration() throws -> ReplicationConfiguration {
        let state = try state()
        var configuration = ReplicationConfiguration(
            name: try name(state.node), clusterID: state.clusterID, members: try state.members.map(name))
        configuration.window = state.window
        return configuration
    }

    /// What the database holds. Whatever waits for its stamp is read anew by `entered` afterwards, save what is given here.
    /// - Parameter enteredMax: commands without stamps that are given at most; the others follow by `entered`.
    public mutating func stored(enteredMax: Int) throws -> StoredState {
        let state = try state()
        outbox = OutboxReader()
        return StoredState(
            closed: ChainPoint(through: state.closedThrough, digest: state.chain), bound: state.bound,
            agreed: state.agreed, logs: try logs(state), waiting: try connection.waitingItems().map(\.item),
            entered: try outbox.next(connection, max: enteredMax), proposals: try proposals())
    }

    /// False where another sidecar may have the database by now. Asks nobody.
    public var isHeld: Bool { seat.isHeld }

    private func state() throws -> ClusterState {
        guard let state = try connection.clusterState() else {
            throw StoreError(.notMigrated, "this database is no node of a cluster any more")
        }
        return state
    }

    private func logs(_ state: ClusterState) throws -> [StoredState.Log] {
        let spans = try connection.storedSpans()
        return try state.members.map { member in
            let own = spans.filter { $0.span.origin == member }
            return StoredState.Log(
                origin: try name(member), stored: own.map(\.span.numbers), lastStamp: own.last?.lastStamp)
        }
    }

    private func proposals() throws -> [NodeName: [Proposal]] {
        var proposals: [NodeName: [Proposal]] = [:]
        for command in try connection.proposals() {
            proposals[try name(command.origin), default: []].append(Proposal(command: command))
        }
        return proposals
    }

    private func name(_ text: String) throws -> NodeName {
        guard let name = NodeName(text) else { throw StoreError(.mismatch, "'\(text)' is no name of a node") }
        return name
    }

    /// The next of this node's own commands without stamps, each once.
    public mutating func entered(max: Int) throws -> [Command] { try outbox.next(connection, max: max) }

    /// All or nothing, durable when it returns.
    /// - Returns: what was to be accepted and is stored as a duplicate.
    public func write(_ writes: [Write]) throws -> [LogRange] {
        try connection.write(writes.map { ClusterWrite($0) }, from: seat).compactMap(\.range)
    }

    /// What is stored of some ranges, in their order.
    /// - Returns: false where there is more than the bound allows; then everything up to the last item is there.
    public func items(_ ranges: [LogRange], max: Int) throws -> (items: [JudgedItem], isComplete: Bool) {
        let items = try connection.items(ranges.map { LogSpan($0) }, max: max + 1)
        return (items.prefix(max).map(\.judged), items.count <= max)
    }

    public func markets() throws -> [MarketDefinition] { try connection.sharedMarkets().map(\.definition) }

    /// Adds those that this node lacks.
    /// - Throws: a `StoreError` that names the difference, where one is another here.
    public func add(_ markets: [MarketDefinition]) throws {
        for market in markets { try connection.addMarketFromPeer(SharedMarket(market)) }
    }

    /// How far each market was executed.
    public func positions() throws -> [MarketPosition] { try connection.sharedPositions().map(\.position) }

    /// A peer's positions at which this node has the same digest, and its own where it has another. Those that it has not
    /// reached are in neither.
    public func compare(
        _ positions: [MarketPosition]
    ) throws -> (equal: [MarketPosition], differing: [MarketPosition]) {
        let theirs = Set(positions)
        let own = try connection.digestHeads(at: positions.map { SharedPosition($0) }).map(\.position)
        return (own.filter { theirs.contains($0) }, own.filter { !theirs.contains($0) })
    }
}
