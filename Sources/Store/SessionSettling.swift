internal import Postgres

/// Makes a new connection fit for its purpose, in one statement where nothing stands between.
struct SessionSettling: Sendable {
    /// Without anything to do at connect: for a look at a pooler.
    private let configuration: ConnectionConfiguration
    private let purpose: SessionPurpose
    private let names: [String]
    private let values: [String]
    private let stays: [String]

    init(_ configuration: ConnectionConfiguration, _ purpose: SessionPurpose, _ exceptions: [String: String]) {
        self.configuration = configuration
        self.purpose = purpose
        let settings =
            SessionSettings.all(for: purpose).filter { exceptions[$0.name] == nil }
            + exceptions.sorted { $0.key < $1.key }.map { SessionSetting($0.key, $0.value, "asked for") }
        names = settings.map(\.name)
        values = settings.map(\.value)
        stays = settings.map { $0.stays ?? $0.value }
    }

    func settle(_ connection: Connection) throws(PostgresError) {
        var facts = try set(connection, process: connection.serverProcessID)
        if facts.process != connection.serverProcessID { facts = try settle(connection, behindPoolerBefore: facts) }
        if let fault = facts.fault(for: purpose) { throw PostgresError(.unfit, fault) }
    }

    /// Another process answers than the one that the protocol named: a pooler stands between. Nothing was set yet.
    private func settle(
        _ connection: Connection, behindPoolerBefore first: SessionFacts
    ) throws(PostgresError) -> SessionFacts {
        if try PoolerProbe(configuration).keepsSessions(connection, process: first.process) {
            let facts = try set(connection, process: first.process)
            if facts.process == first.process { return facts }
        }
        guard purpose.fitsOneTransaction else {
            throw PostgresError(
                .unfit,
                "a pooler that shares sessions stands before the database (\(connection.host) port \(connection.port)): "
                    + "settings, LISTEN and locks would be other programs'; connect to PostgreSQL itself, or set "
                    + "pool_mode = session")
        }
        try connection.holdTransaction("ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return try set(connection, process: nil)
    }

    private func set(_ connection: Connection, process: Int32?) throws(PostgresError) -> SessionFacts {
        let within = connection.answerMilliseconds
        do {
            let row = try connection.executeOnce(
                SQL.settleSession, with: [names, values, stays, process, connection.isHeld], within: within
            ).one()
            return try SessionFacts(row)
        } catch {
            guard error.isConnectionLost, error.sqlState == nil else { throw error.ofConnecting }
            throw PostgresError(
                .connectFailed,
                "the first statement failed: \(error.message); behind a pooler its pool may be too small "
                    + "(pgbook serve takes \(StoreLimits.serveSessions) sessions)")
        }
    }
}

extension Connection {
    /// How long the first answers are waited for.
    var answerMilliseconds: Int { connectTimeoutSeconds.map { $0 * 1000 } ?? Int(Int32.max) }
}

extension PostgresError {
    /// A connection that could not be settled was never made.
    fileprivate var ofConnecting: PostgresError {
        PostgresError(.connectFailed, message, sqlState: sqlState, query: query)
    }
}

/// What a server said when a connection was settled.
struct SessionFacts: Sendable {
    var process: Int32
    var isStandby: Bool
    var version: String
    var versionNumber: Int32
    var keeping: ServerKeeping
    var state: ServerState
    var hasTimescale: Bool

    init(_ row: Row) throws(PostgresError) {
        var columns = row.reader()
        process = try columns.next()
        isStandby = try columns.next()
        version = try columns.next()
        versionNumber = try columns.next()
        let encoding: String = try columns.next()
        keeping = ServerKeeping(
            fsync: try columns.next(), fullPageWrites: try columns.next(), clusterName: try columns.next())
        let replicationRole: String = try columns.next()
        hasTimescale = try columns.next()
        state = ServerState(
            encoding: encoding, replicationRole: replicationRole, isRestoring: try columns.next(String.self) != "off")
    }

    /// Why a connection cannot be used for its purpose, and how to mend it.
    func fault(for purpose: SessionPurpose) -> String? {
        guard purpose.writes else { return nil }
        if isStandby { return "this server is a standby and takes no commands; connect to the primary" }
        // `migrate` says more of these.
        if purpose != .migrating {
            if versionNumber / 10_000 < StoreLimits.serverMajorMin {
                return "PostgreSQL \(version) is too old; pgbook needs \(StoreLimits.serverMajorMin) or later"
            }
            if !hasTimescale {
                return "TimescaleDB is not loaded; add timescaledb to shared_preload_libraries in postgresql.conf and "
                    + "restart the server"
            }
        }
        return keeping.fault ?? state.faults.first
    }
}
