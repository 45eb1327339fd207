public import OrderBook
public import Postgres

/// What the tables say of whether orders would be taken and executed.
public struct StoredReadiness: Hashable, Sendable {
    /// Why a node of a cluster is not ready.
    public var notReady: String?
    /// Why no matcher of this database executes anything.
    public var noMatcher: String?
    /// What stands aside, one line each; it does not keep the node from being ready.
    public var warnings: [String] = []

    public init() {}
}

/// How a matcher fares: a row of `pgbook.matchers`.
public struct MatcherRecord: Hashable, Sendable {
    /// The server's process of the session that executes.
    public var executes: Int32?
    public var startedAt: Timestamp
    public var seenAt: Timestamp
    public var isConnected: Bool
    /// Why it executes nothing, in one line; nil where it does.
    public var reason: String?
}

/// What stands in the way of a batch.
public struct Obstacle: Hashable, Sendable {
    /// One line for a person.
    public var words: String
    /// A transaction that may be over in a moment; nil where it stays until somebody mends it.
    public var holder: String?
}

extension Connection {
    /// Lines of warnings that are read at once; more are counted.
    private static let warningsMax = 5

    func readiness() throws -> StoredReadiness {
        var readiness = StoredReadiness()
        readiness.notReady = try notReady()
        readiness.noMatcher = try noMatcher()
        readiness.warnings = try setAsideRecords(max: Self.warningsMax).map(\.summary)
        return readiness
    }

    /// Why no matcher of this database executes anything, in one line; nil where one does.
    public func noMatcher() throws -> String? { try execute(SQL.noMatcher).one().decode(at: 0) }

    /// The matchers that are connected, and those that left without a word.
    public func matcherRecords() throws -> [MatcherRecord] {
        try execute(SQL.listMatchers).map { row in
            var columns = row.reader()
            return MatcherRecord(
                executes: try columns.next(), startedAt: Timestamp(try columns.next(PostgresTimestamp.self)),
                seenAt: Timestamp(try columns.next(PostgresTimestamp.self)), isConnected: try columns.next(),
                reason: try columns.next())
        }
    }

    // MARK: The side of a matcher

    /// Sets this session up to watch over a matcher, and says that the matcher is there.
    public func beginMatcher(_ matcher: OrderID, executes: Int32?, because reason: String?) throws {
        try execute(SQL.limitWatch)
        try execute(SQL.beginMatcher, matcher.uuid, executes, reason)
    }

    /// Says how the matcher fares.
    public func noteMatcher(_ matcher: OrderID, executes: Int32?, because reason: String?) throws {
        try execute(SQL.noteMatcher, matcher.uuid, executes, reason)
    }

    public func endMatcher(_ matcher: OrderID) throws { try execute(SQL.endMatcher, matcher.uuid) }

    /// What stands in the way of all batches.
    /// - Throws: also where the server's disk is full.
    public func obstacles() throws -> [Obstacle] {
        try execute(SQL.room)
        return try execute(SQL.obstacles).map { Obstacle(words: try $0.decode(at: 0), holder: try $0.decode(at: 1)) }
    }

    /// Transactions other than matchers' that may hold rows of markets: their names, and the server's processes.
    public func stateLockers() throws -> [String: Int32] {
        var lockers: [String: Int32] = [:]
        for row in try execute(SQL.stateLockers) { lockers[try row.decode(at: 0)] = try row.decode(Int32.self, at: 1) }
        return lockers
    }

    /// Markets whose rows somebody holds; a few of them.
    public func heldMarkets() throws -> [String] {
        defer { rollback() }
        let results = try pipeline { pipeline in
            try pipeline.begin()
            try pipeline.send(SQL.heldMarkets)
        }
        return try results[1].map { try $0.decode(at: 0) }
    }

    /// Writes what a batch of a market writes, and undoes it.
    /// - Throws: what keeps a batch from being written; not what is wrong with what this one writes.
    public func tryBatch(_ market: MarketNumber) throws {
        defer { rollback() }
        do {
            try pipeline { pipeline in
                try pipeline.begin()
                try pipeline.send(SQL.tryBatch, market.rawValue)
            }
        } catch let error as PostgresError where error.isOfData || error.sqlState == .uniqueViolation {
        }
    }
}
