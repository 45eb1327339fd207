internal import CLibPQ

extension Connection {
    /// `COPY … FROM STDIN (FORMAT binary)`: rows written value by value.
    ///
    ///     try connection.copyIn("COPY trades (id, price) FROM STDIN (FORMAT binary)") { rows in
    ///         for trade in trades { try rows.write(trade.id, trade.price) }
    ///     }
    ///
    /// - Returns: rows stored.
    /// - Throws: what the body throws, after which nothing is stored; the server's error; `usage` where the rows do not
    ///   have the number of columns that the statement names.
    @discardableResult
    public func copyIn(_ sql: String, _ body: (inout CopyRows) throws -> Void) throws -> Int {
        let copy = try beginCopy(sql, PGRES_COPY_IN)
        guard copy.isBinary else {
            abandonCopy()
            throw PostgresError(.usage, "rows are binary: write (FORMAT binary)", query: queryLabel(sql))
        }
        do {
            var rows = CopyRows(self, columnCount: copy.columnCount, query: sql)
            try body(&rows)
            try rows.finish()
        } catch {
            throw copyFault(after: error, sql)
        }
        return try endCopyIn(sql)
    }

    /// `COPY … FROM STDIN` of text or CSV: bytes as they are, in pieces of any size.
    /// - Parameter next: the next piece; nil or an empty one ends the copy.
    @discardableResult
    public func copyIn(_ sql: String, bytes next: () throws -> [UInt8]?) throws -> Int {
        _ = try beginCopy(sql, PGRES_COPY_IN)
        do {
            while let piece = try next(), !piece.isEmpty { try piece.withUnsafeBytes { try putCopyData($0, sql) } }
        } catch {
            throw copyFault(after: error, sql)
        }
        return try endCopyIn(sql)
    }

    /// `COPY … TO STDOUT`: the bytes as they come, in pieces of whole rows; memory use does not depend on their number.
    /// - Parameter receive: throwing ends the copy, and is passed on.
    /// - Returns: rows copied.
    @discardableResult
    public func copyOut(_ sql: String, _ receive: ([UInt8]) throws -> Void) throws -> Int {
        try copyBlocks(sql) { try receive($0) }
    }

    func nextCopyRow() -> UnsafeBufferPointer<UInt8>? {
        var row: UnsafeMutablePointer<CChar>?
        let count = PQgetCopyData(handle, &row, 0)
        guard count > 0, let row else { return nil }
        return UnsafeBufferPointer(start: UnsafeRawPointer(row).assumingMemoryBound(to: UInt8.self), count: Int(count))
    }

    func beginCopyOut(_ sql: String) throws(PostgresError) { _ = try beginCopy(sql, PGRES_COPY_OUT) }

    private func beginCopy(
        _ sql: String, _ expected: ExecStatusType
    ) throws(PostgresError) -> (isBinary: Bool, columnCount: Int) {
        try requireNotActive(sql)
        let result = PQexec(handle, sql)
        guard PQresultStatus(result) == expected else {
            let rows = try check(result, sql)
            throw PostgresError(.usage, "not a COPY of this direction but \(rows.commandTag)", query: queryLabel(sql))
        }
        defer { PQclear(result) }
        return (PQbinaryTuples(result) == 1, Int(PQnfields(result)))
    }

    func putCopyData(_ bytes: UnsafeRawBufferPointer, _ sql: String) throws(PostgresError) {
        guard let start = bytes.baseAddress else { return }
        let sent = PQputCopyData(handle, start.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
        guard sent == 1 else { throw .fault(nil, on: handle, query: sql) }
    }

    private func endCopyIn(_ sql: String) throws(PostgresError) -> Int {
        guard PQputCopyEnd(handle, nil) == 1 else { throw .fault(nil, on: handle, query: sql) }
        return try endCopy(sql)
    }

    /// The server's last word on a COPY.
    func endCopy(_ sql: String) throws(PostgresError) -> Int {
        var count = 0
        var fault: PostgresError?
        while let result = PQgetResult(handle) {
            do { count = try check(result, sql).affectedCount } catch { fault = fault ?? error }
            if isLost { break }
        }
        if let fault { throw fault }
        if isLost { throw .fault(nil, on: handle, query: sql) }
        return count
    }

    /// Ends a COPY in that failed on our side. The server's own complaint, if it has one, came first.
    private func copyFault(after error: any Error, _ sql: String) -> any Error {
        _ = PQputCopyEnd(handle, "given up by the client")
        do {
            _ = try endCopy(sql)
            return error
        } catch let answer {
            // 57014 is the server's echo of our giving up.
            return answer.sqlState == .queryCanceled ? error : answer
        }
    }

    /// Brings the connection back from a COPY that nobody wants.
    func abandonCopy() {
        _ = PQputCopyEnd(handle, "not wanted")
        while let result = PQgetResult(handle) {
            let status = PQresultStatus(result)
            PQclear(result)
            if isLost { break }
            if status == PGRES_COPY_OUT {
                while let row = nextCopyRow() { PQfreemem(UnsafeMutableRawPointer(mutating: row.baseAddress)) }
            }
        }
    }
}
