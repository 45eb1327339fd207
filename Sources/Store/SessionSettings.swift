/// A setting that pgbook does not leave to roles, databases, services, PGOPTIONS or the server's files.
struct SessionSetting: Sendable {
    var name: String
    var value: String
    /// Another value that is as good or better, and stays.
    var stays: String?
    /// What would happen otherwise.
    var why: String

    init(_ name: String, _ value: String, orStays stays: String? = nil, _ why: String) {
        self.name = name
        self.value = value
        self.stays = stays
        self.why = why
    }
}

/// The one table of what is set at connect; the page Sessions shows it. A setting that the server's version does not have
/// is left out.
enum SessionSettings {
    static func all(for purpose: SessionPurpose) -> [SessionSetting] {
        durability + transactions + texts + names + planner + timeouts(for: purpose)
    }

    static let durability = [
        SessionSetting(
            "synchronous_commit", "on", orStays: "remote_apply",
            "a crash would take back what was acknowledged")
    ]

    static let transactions = [
        SessionSetting(
            "default_transaction_isolation", "read committed",
            "statements that wait for a lock must see what its holder did, instead of failing"),
        SessionSetting("default_transaction_read_only", "off", "nothing could be written"),
        SessionSetting("default_transaction_deferrable", "off", "a serializable snapshot could wait for ever"),
        SessionSetting("exit_on_error", "off", "any refusal would end the session"),
    ]

    static let texts = [
        SessionSetting("TimeZone", "UTC", "days, and times as text, would be the role's"),
        SessionSetting("DateStyle", "ISO, MDY", "times as text are read by programs"),
        SessionSetting("IntervalStyle", "postgres", "so are intervals"),
        SessionSetting("timezone_abbreviations", "Default", "so are abbreviations"),
        SessionSetting("extra_float_digits", "1", "statistics as text would lose digits"),
        SessionSetting("bytea_output", "hex", "digests as text are compared"),
        SessionSetting("standard_conforming_strings", "on", "a backslash in a literal would mean something"),
        SessionSetting("array_nulls", "on", "the word NULL in an array would be a text"),
        SessionSetting("quote_all_identifiers", "off", "names as text are compared"),
        SessionSetting("transform_null_equals", "off", "= NULL would mean something else"),
        SessionSetting("client_min_messages", "notice", "what the server has to say is passed on"),
    ]

    static let names = [
        SessionSetting("search_path", "pg_catalog, pg_temp", "names would be looked up where others can make them"),
        SessionSetting("row_security", "on", "reading a table that has policies would fail"),
        SessionSetting("check_function_bodies", "on", "a fault in a function would show when it runs, not before"),
        SessionSetting("default_tablespace", "", "tables and chunks lie where the database lies"),
        SessionSetting("temp_tablespaces", "", "and so do temporary ones"),
        SessionSetting("default_table_access_method", "heap", "other storage keeps other promises"),
        SessionSetting("restrict_nonsystem_relation_kind", "", "views could not be read"),
        SessionSetting("plpgsql.extra_errors", "none", "functions would fail by warnings of their own kind"),
        SessionSetting("plpgsql.extra_warnings", "none", "and would warn at each call"),
    ]

    private static let switchesOn = [
        "async_append", "bitmapscan", "distinct_reordering", "gathermerge", "group_by_reordering", "hashagg", "hashjoin",
        "incremental_sort", "indexonlyscan", "indexscan", "material", "memoize", "mergejoin", "nestloop",
        "parallel_append", "parallel_hash", "partition_pruning", "presorted_aggregate", "self_join_elimination",
        "seqscan", "sort", "tidscan",
    ]

    static let planner =
        switchesOn.map { SessionSetting("enable_\($0)", "on", "an index lookup would become a scan") } + [
            SessionSetting("enable_partitionwise_aggregate", "off", "planning would take longer than executing"),
            SessionSetting("enable_partitionwise_join", "off", "planning would take longer than executing"),
            SessionSetting("plan_cache_mode", "auto", "every statement would be planned each time, or never again"),
            SessionSetting("constraint_exclusion", "partition", "every table's constraints would be looked at"),
            SessionSetting("from_collapse_limit", "8", "joins would be done in the order of the text"),
            SessionSetting("join_collapse_limit", "8", "joins would be done in the order of the text"),
            SessionSetting("geqo", "on", "large joins would be planned for ever"),
            SessionSetting("geqo_threshold", "12", "small joins would be planned by chance"),
            SessionSetting("cursor_tuple_fraction", "0.1", "cursors would be planned for another use"),
            SessionSetting("debug_parallel_query", "off", "everything would run in a worker"),
            SessionSetting("force_parallel_mode", "off", "everything would run in a worker"),
        ]

    /// A statement of a batch, of an entry or of a server's read that takes longer is ended, and the next attempt is made.
    static let shortStatementMilliseconds = 300_000
    /// A process that stands still inside a transaction keeps its locks no longer.
    static let shortIdleMilliseconds = 60_000

    static func timeouts(for purpose: SessionPurpose) -> [SessionSetting] {
        let statement = purpose.isShort ? shortStatementMilliseconds : 0
        let idle = purpose.isShort ? shortIdleMilliseconds : 0
        return [
            SessionSetting("statement_timeout", duration(statement), "work would be ended by a time meant for others"),
            SessionSetting("transaction_timeout", "0", "the session would be ended in the middle of its work"),
            SessionSetting("lock_timeout", "0", "who must wait would fail; where waiting is bounded, the statement says so"),
            SessionSetting(
                "idle_in_transaction_session_timeout", duration(idle), "a slow pipe would end an export or import"),
            SessionSetting("idle_session_timeout", "0", "a quiet market would lose its matcher"),
        ]
    }

    /// As the server shows it.
    private static func duration(_ milliseconds: Int) -> String {
        if milliseconds == 0 { return "0" }
        return milliseconds % 60_000 == 0 ? "\(milliseconds / 60_000)min" : "\(milliseconds)ms"
    }
}
