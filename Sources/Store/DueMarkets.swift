public import OrderBook
public import Postgres

/// What a market waits for.
public struct DueMarket: Hashable, Sendable {
    public var market: MarketNumber
    /// When its oldest command in the inbox was stamped.
    public var oldestWaiting: Timestamp?
    /// When its next gtd order expires.
    public var nextExpiry: Timestamp?
}

/// What there may be to do.
public struct DueMarkets: Sendable {
    public var markets: [DueMarket]
    /// The database's time.
    public var now: Timestamp
    /// Where the database is a node of a cluster.
    public var cluster: Cluster?
    /// The transactions that were under way just before.
    public var snapshot: TransactionSnapshot?
    /// The last stamp that the database gave before.
    public var lastStamp = Timestamp(0)
    /// Whether no hints are sent, because somebody lets the queue of notifications fill.
    public var isDeaf = false

    /// What a matcher must know of its cluster.
    public struct Cluster: Hashable, Sendable {
        /// Pools up to here may be executed: all nodes execute the same in them.
        public var closedThrough: Timestamp
        /// How many nodes have names before this one's.
        public var rank: Int
        /// Microseconds.
        public var window: Int64

        public init(closedThrough: Timestamp, rank: Int, window: Int64) {
            self.closedThrough = closedThrough
            self.rank = rank
            self.window = window
        }
    }
}

extension Connection {
    /// What each market waits for.
    /// - Throws: kind `unfit` where the server does not keep any more what it is given.
    public func dueMarkets(_ search: InboxSearch = .everything) throws -> DueMarkets {
        let results = try pipeline { pipeline in
            // First, so that what had ended by then is seen by the second.
            try pipeline.send(SQL.matcherClock)
            try pipeline.send(
                SQL.marketsDue, search.after.postgres, search.behind.map(\.rawValue).sorted())
            try pipeline.send(SQL.serverKeeping)
        }
        try ServerKeeping(results[2].one()).require()
        let facts = try results[0].one()
        let cluster = try facts.decode(PostgresTimestamp?.self, at: 1).map { closed in
            DueMarkets.Cluster(
                closedThrough: Timestamp(closed), rank: Int(try facts.decode(Int64.self, at: 2)),
                window: try facts.decode(at: 3))
        }
        let markets = try results[1].map { row in
            DueMarket(
                market: MarketNumber(rawValue: try row.decode(at: 0)),
                oldestWaiting: try row.time(at: 1), nextExpiry: try row.time(at: 2))
        }
        return DueMarkets(
            markets: markets, now: Timestamp(try facts.decode(PostgresTimestamp.self, at: 0)), cluster: cluster,
            snapshot: TransactionSnapshot(try facts.decode(String.self, at: 4)),
            lastStamp: Timestamp(try facts.decode(Int64.self, at: 5)), isDeaf: try facts.decode(at: 6))
    }

    /// Whether statements can be sent: the connection stands.
    public var isUsable: Bool { !isLost }

    /// The server's process that serves this session.
    public var serverProcess: Int32 { serverProcessID }

    /// Returns when the server has answered.
    public func answers() throws { try execute(SQL.answer) }

    /// Sets this connection up for matching transactions.
    /// - Parameter lockWait: how long it waits for a lock that somebody else holds; nil: as long as that takes.
    public func prepareForMatching(lockWait: Duration? = nil) throws {
        try execute(SQL.planForMatching)
        if let lockWait { try limitLockWaits(lockWait) }
    }

    /// Hears of new commands from now on.
    public func listenForCommands() throws {
        try listen("pgbook_orders")
    }

    /// Asks to be notified of new commands: they are announced only while somebody does.
    /// - Returns: transactions that may have entered commands before that and are not at their end: those come unannounced.
    public func fallAsleep() throws -> [String] { try execute(SQL.fallAsleep).one().decode(at: 0) }

    /// Asks no longer, for all matchers of the database.
    public func stayAwake() throws { try execute(SQL.stayAwake) }

    /// Whether new commands are announced: another matcher may have asked for none.
    public func isAwaited() throws -> Bool { try execute(SQL.isAsleep).one().decode(at: 0) }

    /// Those of some transactions that are not at their end.
    public func stillRunning(_ transactions: [String]) throws -> [String] {
        try execute(SQL.stillRunning, transactions).one().decode(at: 0)
    }

    /// Ends a `waitForCommands`, from any thread.
    public var waker: @Sendable () -> Void {
        let interrupt = interrupt
        return { interrupt.wake() }
    }

    /// Whether new commands were announced since the last call.
    public func hearsOfCommands() -> Bool {
        guard nextNotification() != nil else { return false }
        discardNotifications()
        return true
    }

    /// Waits until new commands are announced, the time is up, or the task is cancelled.
    /// - Returns: whether there are any.
    public func waitForCommands(_ timeout: Duration) throws -> Bool {
        guard try waitForNotification(timeout: timeout) != nil else { return false }
        discardNotifications()
        return true
    }
}

extension Row {
    /// A time; one that does not fit is later than all others. One row must not keep all markets from being seen.
    fileprivate func time(at column: Int) throws -> Timestamp? {
        guard !isNull(at: column) else { return nil }
        return (try? decode(PostgresTimestamp.self, at: column)).map { Timestamp($0) } ?? Timestamp(.max)
    }
}
