public import Postgres

/// What `pgbook doctor` tells about a connection.
public struct Diagnosis: Sendable, Hashable {
    public var server: ServerFacts
    public var database: String
    public var role: String
    public var isSuperuser: Bool
    public var isStandby: Bool
    public var fsync: String
    public var synchronousCommit: String
    public var fullPageWrites: String
    /// The version installed in this database; nil before the first migration.
    public var timescale: String?
    /// `apache` or `timescale`.
    public var timescaleLicense: String?
    /// Which of pgbook's roles the role is a member of.
    public var memberships: [String]
    public var databaseBytes: Int64
    /// Connections of matchers to this database.
    public var matchers: Int64

    /// What a process that listens to others says to whoever lets it log in as a superuser.
    public var superuserWarning: String? {
        guard isSuperuser else { return nil }
        return
            "role \(role) is a superuser: whoever got into this process would have the whole server; let it log in as a role that "
            + "is only a node: CREATE ROLE pgbook_server LOGIN PASSWORD '…' IN ROLE pgbook_node"
    }
}

/// Commands of a market that wait to be executed: a row of `pgbook.waiting`.
public struct WaitingRecord: Sendable, Hashable {
    public var market: String
    public var commands: Int64
    public var oldest: PostgresTimestamp
    /// Older than any window should be.
    public var isStuck: Bool
}

extension Connection {
    public func diagnosis() throws(PostgresError) -> Diagnosis {
        let facts = try ServerFacts(self)
        let row = try execute(SQL.diagnosis).one()
        return Diagnosis(
            server: facts, database: try row.decode(named: "database"), role: try row.decode(named: "role"),
            isSuperuser: try row.decode(named: "is_superuser"), isStandby: try row.decode(named: "is_standby"),
            fsync: try row.decode(named: "fsync"), synchronousCommit: try row.decode(named: "synchronous_commit"),
            fullPageWrites: try row.decode(named: "full_page_writes"), timescale: try row.decode(named: "timescaledb"),
            timescaleLicense: try row.decode(named: "timescaledb_license"),
            memberships: try row.decode(named: "memberships"), databaseBytes: try row.decode(named: "bytes"),
            matchers: try row.decode(named: "matchers"))
    }

    /// What lets a login stop the others: a line each, with the remedy.
    public func looseRights() throws(PostgresError) -> [String] {
        var lines: [String] = []
        for row in try execute(SQL.looseRights) { lines.append(try row.decode(at: 0)) }
        return lines
    }

    /// - Parameter stuckAfterSeconds: how old a waiting command may be before it counts as stuck.
    public func waiting(stuckAfterSeconds: Int) throws(PostgresError) -> [WaitingRecord] {
        var waiting: [WaitingRecord] = []
        for row in try execute(SQL.listWaiting, stuckAfterSeconds) {
            var columns = row.reader()
            waiting.append(
                WaitingRecord(
                    market: try columns.next(), commands: try columns.next(), oldest: try columns.next(),
                    isStuck: try columns.next()))
        }
        return waiting
    }
}
