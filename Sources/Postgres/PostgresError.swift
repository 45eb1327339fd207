/// Anything that went wrong between this process and PostgreSQL.
public struct PostgresError: Error, Sendable, Hashable {
    /// What kind of fault it was; more kinds may be added.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// The server refused a statement; `sqlState` says why. The connection is fine.
        public static let server = Kind(description: "server")
        /// The connection ended. Statements outside a transaction may or may not have been executed.
        public static let connectionLost = Kind(description: "connection lost")
        /// No connection could be made.
        public static let connectFailed = Kind(description: "cannot connect")
        /// There is a server, and it is not fit for what the connection is for; the message says how to mend that.
        public static let unfit = Kind(description: "unfit server")
        /// A value did not have the type that the caller asked for.
        public static let decode = Kind(description: "decode")
        /// This layer was used wrongly.
        public static let usage = Kind(description: "usage")
        /// The connection ended after COMMIT was sent and before its answer: ask the database what happened.
        public static let commitOutcomeUnknown = Kind(description: "commit outcome unknown")
        /// A bound on waiting callers was reached.
        public static let busy = Kind(description: "busy")
    }

    public var kind: Kind
    public var message: String
    public var sqlState: SQLState?
    public var detail: String?
    public var hint: String?
    public var schema: String?
    public var table: String?
    public var column: String?
    public var constraint: String?
    /// The query's name (`-- name: …` as its first line) or its text, shortened.
    public var query: String?
    /// Where in the statement the server found the fault, in characters from 1.
    public var position: Int?
    /// Which statement of a pipeline failed, counted from 0.
    public var statementIndex: Int?

    public init(_ kind: Kind, _ message: String, sqlState: SQLState? = nil, query: String? = nil) {
        self.kind = kind
        self.message = message
        self.sqlState = sqlState
        self.query = query
    }

    /// Whether the connection is gone, whatever became of the statement.
    public var isConnectionLost: Bool { kind == .connectionLost || kind == .commitOutcomeUnknown }

    /// Whether the same transaction may succeed when run again: the server rolled it back for another one's sake, or a
    /// prepared statement was out of date.
    public var isRetryable: Bool {
        kind == .server
            && (sqlState == .serializationFailure || sqlState == .deadlockDetected || sqlState == .lockNotAvailable
                || isStaleStatement)
    }

    /// A prepared statement that is gone, or whose result changed its shape. The server says so before it executes it.
    var isStaleStatement: Bool {
        sqlState == .invalidStatementName || (sqlState == .featureNotSupported && message.contains("cached plan"))
    }
}

extension PostgresError: CustomStringConvertible {
    /// One line: what happened, then the particulars in brackets.
    public var description: String {
        var particulars: [String] = []
        if let sqlState { particulars.append("SQLSTATE \(sqlState)") }
        if let detail { particulars.append(detail) }
        if let hint { particulars.append("hint: \(hint)") }
        if let constraint { particulars.append("constraint \(constraint)") }
        if let table { particulars.append("table \(schema.map { $0 + "." } ?? "")\(table)") }
        if let column { particulars.append("column \(column)") }
        if let query { particulars.append("query \(query)") }
        if let statementIndex { particulars.append("statement \(statementIndex) of the pipeline") }
        let prefix = kind == .server || kind == .usage || kind == .decode ? "" : "\(kind): "
        let suffix = particulars.isEmpty ? "" : " (\(particulars.joined(separator: "; ")))"
        return oneLine(prefix + message + suffix)
    }
}

/// The name that a query brings in its first line (`-- name: lock_market`), or the beginning of its text.
func queryLabel(_ sql: String) -> String {
    let prefix = "-- name: "
    if sql.hasPrefix(prefix) {
        return String(sql.dropFirst(prefix.count).prefix { $0 != "\n" })
    }
    let text = oneLine(String(sql.prefix(PostgresLimits.queryShownMax + 1)))
    return text.count > PostgresLimits.queryShownMax ? "'\(text.dropLast())…'" : "'\(text)'"
}

/// Runs of white space become one space.
func oneLine(_ text: String) -> String {
    text.split { $0.isWhitespace }.joined(separator: " ")
}
