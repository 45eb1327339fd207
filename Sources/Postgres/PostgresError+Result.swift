internal import CLibPQ

extension PostgresError {
    /// The fault of a connection attempt; the handle is not usable and still has to be freed.
    static func connectFailed(_ handle: OpaquePointer) -> PostgresError {
        let message = oneLine(String(cString: PQerrorMessage(handle)))
        var error = PostgresError(.connectFailed, message.isEmpty ? "no reason given" : message)
        // libpq gives no SQLSTATE for a refused connection, but a caller wants to tell these apart.
        if message.contains("the database system is") || message.contains("not yet accepting connections") {
            error.sqlState = .cannotConnectNow
        } else if message.contains("password authentication failed") {
            error.sqlState = .invalidPassword
        } else if message.contains("too many clients") || message.contains("remaining connection slots") {
            error.sqlState = .tooManyConnections
        } else if message.contains("database \"") && message.contains("does not exist") {
            error.sqlState = .invalidCatalogName
        }
        return error
    }

    /// The fault that a result reports, or, without one, the connection's.
    static func fault(_ result: OpaquePointer?, on handle: OpaquePointer, query: String?) -> PostgresError {
        func field(_ code: UnicodeScalar) -> String? {
            PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
        }
        let state = field("C").map { SQLState($0) }
        let message = field("M") ?? oneLine(String(cString: PQerrorMessage(handle)))
        var error = PostgresError(
            state?.endsConnection == true || PQstatus(handle) != CONNECTION_OK ? .connectionLost : .server,
            message.isEmpty ? "no reason given" : message, sqlState: state, query: query.map(queryLabel))
        error.detail = field("D")
        error.hint = field("H")
        error.schema = field("s")
        error.table = field("t")
        error.column = field("c")
        error.constraint = field("n")
        error.position = field("P").flatMap { Int($0) }
        return error
    }
}

extension SQLState {
    /// The server says these and closes the connection.
    var endsConnection: Bool {
        self == .adminShutdown || self == .crashShutdown || self == .cannotConnectNow || errorClass == "08"
    }
}
