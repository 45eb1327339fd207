public import OrderBook
public import Postgres

/// What a node's database says of its place in a cluster.
public struct ClusterStatusRecord: Sendable {
    public var clusterID: String
    public var node: String
    /// Whether it takes commands, and why not in one line.
    public var isReady: Bool
    public var reason: String?
    /// When the sidecar wrote last.
    public var heardAt: Timestamp?
    /// It has not written for seconds: it does not run, or copies a peer's state.
    public var isSilent: Bool
    /// What it wrote, as JSON; nil before the first time.
    public var status: String?
}

extension Connection {
    /// Says that the sidecar lives, and what it knows.
    public func noteStatus(_ json: String) throws { try execute(SQL.noteStatus, json) }

    /// Says up to which number each member's log is stored without a gap: a start does not look there again.
    public func noteStored(_ numbers: [(member: String, through: Int64)]) throws {
        try execute(SQL.noteStored, numbers.map(\.member), numbers.map(\.through))
    }

    /// Nil where this database is no node of a cluster.
    public func clusterStatus() throws -> ClusterStatusRecord? {
        try execute(SQL.clusterStatus).first.map { row in
            var columns = row.reader()
            return ClusterStatusRecord(
                clusterID: try columns.next(), node: try columns.next(), isReady: try columns.next(),
                reason: try columns.next(), heardAt: try columns.next(PostgresTimestamp?.self).map { Timestamp($0) },
                isSilent: try columns.next(), status: try columns.next())
        }
    }
}

/// A command whose outcome was another before this node was rebuilt from a peer.
public struct DivergenceRecord: Sendable {
    public var id: OrderID
    public var security: String
    public var user: String?
    public var clientOrderID: String?
    public var codeBefore: String
    public var filledBefore: PostgresNumeric?
    public var codeAfter: String
    public var filledAfter: PostgresNumeric?
    public var rebuiltFrom: String
    public var noticedAt: Timestamp
}

extension Connection {
    /// Oldest first.
    public func divergences() throws -> [DivergenceRecord] {
        try execute(SQL.divergences).map { row in
            var columns = row.reader()
            return DivergenceRecord(
                id: OrderID(try columns.next()), security: try columns.next(), user: try columns.next(),
                clientOrderID: try columns.next(), codeBefore: try columns.next(), filledBefore: try columns.next(),
                codeAfter: try columns.next(), filledAfter: try columns.next(), rebuiltFrom: try columns.next(),
                noticedAt: Timestamp(try columns.next(PostgresTimestamp.self)))
        }
    }
}
