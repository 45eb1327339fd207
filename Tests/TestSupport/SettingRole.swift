public import Postgres

/// Settings that people put on roles and databases, and that clouds do; more of one kind than the table of tests names.
public let hostileSettings = [
    ("default_transaction_isolation", "serializable"), ("default_transaction_isolation", "repeatable read"),
    ("default_transaction_read_only", "on"), ("default_transaction_deferrable", "on"), ("statement_timeout", "2s"),
    ("lock_timeout", "50ms"), ("idle_in_transaction_session_timeout", "200ms"), ("idle_session_timeout", "3s"),
    ("transaction_timeout", "3s"), ("DateStyle", "German, DMY"), ("IntervalStyle", "sql_standard"),
    ("TimeZone", "Asia/Kathmandu"), ("extra_float_digits", "-15"), ("standard_conforming_strings", "off"),
    ("bytea_output", "escape"), ("search_path", ""), ("row_security", "off"), ("synchronous_commit", "off"),
    ("synchronous_commit", "local"), ("client_min_messages", "error"), ("transform_null_equals", "on"),
    ("plan_cache_mode", "force_custom_plan"), ("constraint_exclusion", "on"), ("exit_on_error", "on"),
    ("array_nulls", "off"), ("quote_all_identifiers", "on"), ("enable_indexscan", "off"), ("enable_nestloop", "off"),
    ("enable_hashjoin", "off"), ("join_collapse_limit", "1"), ("geqo_threshold", "2"),
    ("debug_parallel_query", "regress"), ("restrict_nonsystem_relation_kind", "view"),
    ("default_table_access_method", "heap"), ("plpgsql.extra_errors", "all"), ("timezone_abbreviations", "India"),
    ("client_encoding", "LATIN1"),
]

/// A login of its own with settings, on the test server; gone when the test lets go of it.
public final class SettingRole: Sendable {
    public let name: String

    public init(_ settings: [(String, String)] = [], member role: String = "pgbook_node") throws {
        name = "pgbook_test_role_\(UInt32.random(in: 0 ... .max))"
        try TestServer.connection().executeSimple("CREATE ROLE \(name) LOGIN IN ROLE \(role)")
        for (setting, value) in settings { try set(setting, value) }
    }

    deinit { _ = try? TestServer.connection().executeSimple("DROP ROLE \(name)") }

    public func set(_ setting: String, _ value: String, inDatabase database: String? = nil) throws {
        let place = database.map { " IN DATABASE \($0)" } ?? ""
        try TestServer.connection().executeSimple("ALTER ROLE \(name)\(place) SET \(setting) = '\(value)'")
    }

    /// - Parameter options: as in PGOPTIONS, encoded for a URL.
    public func url(_ database: TestDatabase, options: String? = nil) throws -> String {
        let url = try TestServer.url(database: database.name, login: name)
        return url + (options.map { (url.contains("?") ? "&" : "?") + "options=" + $0 } ?? "")
    }

    public func configuration(_ database: TestDatabase, options: String? = nil) throws -> ConnectionConfiguration {
        ConnectionConfiguration(
            try url(database, options: options), onNotice: { _ in withExtendedLifetime((self, database)) {} })
    }
}
