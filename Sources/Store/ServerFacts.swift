public import Postgres

/// What a server offers to pgbook.
public struct ServerFacts: Sendable, Hashable {
    /// `17.11 (Debian 17.11-1)`
    public var version: String
    /// 170011
    public var versionNumber: Int32
    /// The version of TimescaleDB that can be installed; nil where the package is missing.
    public var timescaleAvailable: String?
    public var timescaleIsPreloaded: Bool

    public init(_ connection: Connection) throws(PostgresError) {
        var columns = try connection.execute(SQL.serverFacts).one().reader()
        version = try columns.next()
        versionNumber = try columns.next()
        timescaleAvailable = try columns.next()
        timescaleIsPreloaded = try columns.next()
    }

    init(version: String, versionNumber: Int32, timescaleAvailable: String?, timescaleIsPreloaded: Bool) {
        self.version = version
        self.versionNumber = versionNumber
        self.timescaleAvailable = timescaleAvailable
        self.timescaleIsPreloaded = timescaleIsPreloaded
    }

    /// 17
    public var major: Int32 { versionNumber / 10_000 }

    /// Why pgbook cannot use this server, and how to mend it; nil if it can.
    public var fault: String? {
        if major < StoreLimits.serverMajorMin {
            return "PostgreSQL \(version) is too old; pgbook needs \(StoreLimits.serverMajorMin) or later"
        }
        if timescaleAvailable == nil {
            return
                "this PostgreSQL \(major) has no TimescaleDB, which pgbook keeps its trades in; on Debian or Ubuntu install "
                + "postgresql-\(major)-timescaledb (or Timescale's own timescaledb-2-postgresql-\(major)), add timescaledb to "
                + "shared_preload_libraries in postgresql.conf and restart the server"
        }
        if !timescaleIsPreloaded {
            return
                "TimescaleDB is installed but not loaded; add timescaledb to shared_preload_libraries in postgresql.conf "
                + "and restart the server"
        }
        return nil
    }
}

/// Bounds of the store.
public enum StoreLimits {
    /// How often one migration is tried when another database's migration gets in its way.
    public static let migrationAttemptsMax = 10
    /// How often a migration waits for a lock, each time for two seconds.
    public static let migrationWaitsMax = 30
    /// The schema uses `BEGIN ATOMIC` bodies and infinite numerics.
    public static let serverMajorMin: Int32 = 14
    /// The `cluster_name` of a server that nobody minds losing: the only one that may run without fsync. No role can set
    /// it, only the server's own files.
    public static let throwawayCluster = "pgbook_throwaway"
    /// Connections that `pgbook serve` may hold at once.
    public static let serveSessions = 8
}
