#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Where and how to connect.
public struct ConnectionConfiguration: Sendable {
    /// A URI (`postgresql://…`) or `keyword=value` string, several hosts included. With nil, and for whatever the
    /// string leaves out, libpq's own sources speak: PG* variables, the service file, the password file.
    public var connectionString: String? {
        get { secretString?.revealed }
        set { secretString = newValue.map { Secret($0) } }
    }
    /// It may hold a password, and a configuration is part of values that are logged.
    private var secretString: Secret?
    /// Shown in `pg_stat_activity` unless the connection string or PGAPPNAME names another.
    public var applicationName: String
    /// Run-time settings of the session, set after connecting: `["search_path": "pgbook"]`.
    public var settings: [String: String]
    /// Per host; libpq takes less than 2 for 2. The connection string and PGCONNECT_TIMEOUT go before it.
    public var connectTimeoutSeconds: Int
    /// An idle connection is probed after this long, and is lost after three silent probes.
    public var keepaliveIdleSeconds: Int
    /// Data not acknowledged by the peer's kernel for this long ends the connection.
    public var unacknowledgedMillisecondsMax: Int
    /// Runs on every new connection before anybody has it; where it throws there is no connection.
    public var onConnect: (@Sendable (Connection) throws(PostgresError) -> Void)?
    /// Called with each NOTICE and WARNING of the server, one line each, on the thread of the connection.
    public var onNotice: (@Sendable (String) -> Void)?

    public init(
        _ connectionString: String? = nil, applicationName: String = "pgbook", settings: [String: String] = [:],
        connectTimeoutSeconds: Int = 10, keepaliveIdleSeconds: Int = 30, unacknowledgedMillisecondsMax: Int = 60_000,
        onConnect: (@Sendable (Connection) throws(PostgresError) -> Void)? = nil,
        onNotice: (@Sendable (String) -> Void)? = nil
    ) {
        secretString = connectionString.map { Secret($0) }
        self.applicationName = applicationName
        self.settings = settings
        self.connectTimeoutSeconds = connectTimeoutSeconds
        self.keepaliveIdleSeconds = keepaliveIdleSeconds
        self.unacknowledgedMillisecondsMax = unacknowledgedMillisecondsMax
        self.onConnect = onConnect
        self.onNotice = onNotice
    }

    /// libpq takes the last value of a keyword, so the connection string overrides what stands before it.
    var keywords: [(name: String, value: String)] {
        var keywords = [
            ("fallback_application_name", applicationName),
            ("keepalives_idle", String(keepaliveIdleSeconds)),
            ("keepalives_interval", "10"),
            ("keepalives_count", "3"),
            ("tcp_user_timeout", String(unacknowledgedMillisecondsMax)),
        ]
        if getenv("PGCONNECT_TIMEOUT") == nil { keywords.append(("connect_timeout", String(connectTimeoutSeconds))) }
        if let connectionString { keywords.append(("dbname", connectionString)) }
        keywords.append(("client_encoding", "UTF8"))
        return keywords
    }
}
