internal import CLibPQ

extension Connection {
    /// Runs one statement and returns all its rows. It is prepared at its first use and kept by its text.
    /// - Throws: kind `server`, `connectionLost` or `usage`.
    @discardableResult
    public func execute(_ sql: String, _ parameters: any PostgresEncodable...) throws(PostgresError) -> Rows {
        try execute(sql, with: parameters)
    }

    /// As `execute(_:_:)`, with the parameters in an array.
    @discardableResult
    public func execute(_ sql: String, with values: [any PostgresEncodable]) throws(PostgresError) -> Rows {
        try parameters.encode(values, for: sql)
        do {
            return try executePrepared(sql)
        } catch {
            guard error.isStaleStatement, transactionStatus == .idle else { throw error }
            // The statement was prepared before its table changed, or was deallocated: once more, afresh.
            return try executePrepared(sql)
        }
    }

    private func executePrepared(_ sql: String) throws(PostgresError) -> Rows {
        let name = try prepare(sql)
        let result = PQexecPrepared(
            handle, name, Int32(parameters.lengths.count), parameters.values(), parameters.lengths, parameters.formats,
            1)
        return try check(result, sql)
    }

    /// Runs a script of any number of statements without parameters, as one implicit transaction unless it says
    /// otherwise. Rows are dropped.
    public func executeSimple(_ script: String) throws(PostgresError) {
        try requireNotActive(script)
        guard PQsendQuery(handle, script) == 1 else { throw .fault(nil, on: handle, query: script) }
        var first: PostgresError?
        while let result = PQgetResult(handle) {
            do { _ = try check(result, script) } catch { first = first ?? error }
            if isLost { break }
        }
        if let first { throw first }
        if isLost { throw .fault(nil, on: handle, query: script) }
    }

    /// Rows of a good result; the error of a bad one.
    func check(_ result: OpaquePointer?, _ sql: String) throws(PostgresError) -> Rows {
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY, PGRES_SINGLE_TUPLE:
            return Rows(result!, query: sql)
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            PQclear(result)
            abandonCopy()
            throw PostgresError(.usage, "COPY runs through copyIn and copyOut", query: queryLabel(sql))
        default:
            defer { PQclear(result) }
            let error = PostgresError.fault(result, on: handle, query: sql)
            if error.isStaleStatement { statements.remove(sql, wasPrepared: error.sqlState != .invalidStatementName) }
            throw error
        }
    }

    /// The name of the prepared statement, preparing it first where needed.
    func prepare(_ sql: String) throws(PostgresError) -> String {
        if isHeld { return try prepareUnnamed(sql) }
        if let name = statements.name(of: sql, types: parameters.types) { return name }
        try requireNotActive(sql)
        closeStatements()
        let name = statements.insert(sql, types: parameters.types)
        let result = PQprepare(handle, name, sql, Int32(parameters.types.count), parameters.types)
        do {
            _ = try check(result, sql)
        } catch {
            statements.remove(sql, wasPrepared: false)
            throw error
        }
        return name
    }

    private func prepareUnnamed(_ sql: String) throws(PostgresError) -> String {
        try requireNotActive(sql)
        _ = try check(PQprepare(handle, "", sql, Int32(parameters.types.count), parameters.types), sql)
        return ""
    }

    /// Runs one statement without preparing it, and does not wait longer than so many milliseconds for its answer. Where
    /// none came in time the connection cannot be used any more.
    /// - Throws: as `execute`; kind `connectionLost` where the time is up.
    public func executeOnce(
        _ sql: String, with values: [any PostgresEncodable] = [], within milliseconds: Int
    ) throws(PostgresError) -> Rows {
        try parameters.encode(values, for: sql)
        try requireNotActive(sql)
        let sent = PQsendQueryParams(
            handle, sql, Int32(parameters.lengths.count), parameters.types, parameters.values(), parameters.lengths,
            parameters.formats, 1)
        guard sent == 1 else { throw .fault(nil, on: handle, query: sql) }
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        while PQisBusy(handle) == 1 {
            let (seconds, attoseconds) = (deadline - ContinuousClock.now).components
            let rest = seconds * 1000 + attoseconds / 1_000_000_000_000_000
            guard rest > 0 else {
                throw PostgresError(
                    .connectionLost, "no answer within \(milliseconds) ms", query: queryLabel(sql))
            }
            _ = waitForSocket(forWriting: false, timeoutMilliseconds: Int32(clamping: rest))
            guard PQconsumeInput(handle) == 1 else { throw .fault(nil, on: handle, query: sql) }
        }
        let result = PQgetResult(handle)
        let rows = try check(result, sql)
        drain()
        return rows
    }

    /// Closes on the server what the cache let go. A failed transaction accepts nothing: later then.
    func closeStatements() {
        guard !statements.toClose.isEmpty, transactionStatus == .idle || transactionStatus == .inTransaction else {
            return
        }
        let script = statements.takeToClose().map { "DEALLOCATE \($0)" }.joined(separator: "; ")
        PQclear(PQexec(handle, script))
    }

    func requireNotActive(_ sql: String) throws(PostgresError) {
        guard transactionStatus == .active else { return }
        throw PostgresError(
            .usage, "another statement of this connection is still running (a stream, COPY or pipeline)",
            query: queryLabel(sql))
    }
}
