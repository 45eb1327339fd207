public import Postgres

extension Connection {
    /// Of a node of a cluster: when it was noted where it is, if it is elsewhere now: the database was restored or cloned,
    /// and the original may still run. Nil where it is at home, or nothing was noted.
    public func movedSince() throws(PostgresError) -> PostgresTimestamp? {
        guard let row = try execute(SQL.home).first, try !row.decode(Bool.self, at: 0) else { return nil }
        return try row.decode(at: 1)
    }

    /// The node is here from now on.
    public func noteHome() throws(PostgresError) { try execute(SQL.noteHome) }
}
