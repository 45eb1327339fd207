internal import CLibPQ

extension Connection {
    /// Runs one statement and hands over its rows one by one as they arrive: memory use does not depend on their number.
    ///
    /// The connection is busy until the last row; a body that throws ends the statement.
    /// - Returns: the number of rows.
    /// - Throws: what the body throws, or the server's error, which may come after some rows.
    @discardableResult
    public func stream(
        _ sql: String, _ values: any PostgresEncodable..., forEach body: (Row) throws -> Void
    ) throws -> Int {
        try parameters.encode(values, for: sql)
        let name = try prepare(sql)
        try requireNotActive(sql)
        guard
            PQsendQueryPrepared(
                handle, name, Int32(parameters.lengths.count), parameters.values(), parameters.lengths,
                parameters.formats, 1) == 1
        else { throw PostgresError.fault(nil, on: handle, query: sql) }
        _ = PQsetSingleRowMode(handle)
        var count = 0
        do {
            while let result = PQgetResult(handle) {
                for row in try check(result, sql) {
                    try body(row)
                    count += 1
                }
            }
        } catch {
            if transactionStatus == .active { interrupt.cancel() }
            drain()
            throw error
        }
        return count
    }

    /// Drops whatever is still to come of the running statement.
    func drain() {
        while let result = PQgetResult(handle) {
            PQclear(result)
            if isLost { return }
        }
    }
}
