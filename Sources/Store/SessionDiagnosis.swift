public import Postgres

/// What `pgbook doctor` tells about sessions.
public struct SessionDiagnosis: Sendable, Hashable {
    /// A setting that new sessions would have otherwise than pgbook's own sessions have it.
    public struct Overridden: Sendable, Hashable {
        public var name: String
        public var value: String
        /// The role or database that says so; nil for the server's files or the connection's options.
        public var place: String?
        /// What pgbook's sessions set.
        public var ours: String
    }

    /// What stands between and the database, if something does.
    public var pooler: String?
    public var encoding: String
    public var overridden: [Overridden]
    /// Why commands that write are refused on such a connection, beyond what the server does not keep.
    public var faults: [String]
}

extension Connection {
    /// The connection must be settled.
    public func sessionDiagnosis() throws(PostgresError) -> SessionDiagnosis {
        var columns = try execute(SQL.sessionState).one().reader()
        let process: Int32 = try columns.next()
        let state = ServerState(
            encoding: try columns.next(), replicationRole: try columns.next(),
            isRestoring: try columns.next(String.self) != "off")
        var faults = state.faults
        var pooler: String?
        if process != serverProcessID {
            pooler = isHeld ? "shares sessions: reading commands work, others are refused" : "keeps sessions"
            if isHeld {
                faults.append(
                    "this is a pooler that shares sessions: serve, place and whatever writes are refused through it; "
                        + "give them PostgreSQL's own address, or set pool_mode = session")
            }
        }
        let ours = Dictionary(
            SessionSettings.all(for: .matching).map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        let told = Set((SessionSettings.durability + SessionSettings.transactions
            + SessionSettings.timeouts(for: .matching)).map(\.name))
        var overridden: [SessionDiagnosis.Overridden] = []
        for row in try execute(SQL.overriddenSettings, ours.keys.sorted()) {
            let name: String = try row.decode(at: 0)
            let place: String? = try row.decode(at: 2)
            // How a server writes times and the like concerns nobody here.
            guard place != nil || told.contains(name) else { continue }
            overridden.append(
                SessionDiagnosis.Overridden(
                    name: name, value: try row.decode(at: 1), place: place, ours: ours[name] ?? ""))
        }
        return SessionDiagnosis(pooler: pooler, encoding: state.encoding, overridden: overridden, faults: faults)
    }
}

/// What no session can mend, and what makes writing wrong.
struct ServerState: Sendable, Hashable {
    var encoding: String
    var replicationRole: String
    var isRestoring: Bool

    var faults: [String] {
        var faults: [String] = []
        if encoding != "UTF8" {
            faults.append(
                "the database's encoding is \(encoding), and what people write would be stored as it comes; make one "
                    + "with ENCODING 'UTF8'")
        }
        if replicationRole == "replica" {
            faults.append(
                "session_replication_role is replica: constraints are not kept; take it from the role or database "
                    + "(ALTER ROLE … RESET session_replication_role)")
        }
        if isRestoring {
            faults.append(
                "timescaledb.restoring is on: a restore has not ended; as superuser run SELECT "
                    + "timescaledb_post_restore()")
        }
        return faults
    }
}
