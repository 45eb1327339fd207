public import Postgres

extension Connection {
    /// Runs one statement that somebody else wrote, in a transaction in which nothing can be written, and streams its
    /// rows as text. One that gives no rows is not run: it could have no purpose but an effect.
    @discardableResult
    public func readOnly(
        _ statement: String, columns: ([TextColumn]) throws -> Void, forEach body: ([String?]) throws -> Void
    ) throws -> Int {
        // A statement that ends this transaction finds itself in one that is read-only too, and alone there.
        // A session that is shared with others is in one already, and is not to be changed.
        if !isHeld { try execute(SQL.readOnlySession) }
        return try transaction("read only") { connection in
            // After its first query a transaction cannot be made to write any more.
            try connection.execute(SQL.firstQuery)
            guard try connection.returnsRows(statement) else {
                throw PostgresError(.usage, "the statement gives no rows; only a select or its like can be run here")
            }
            return try connection.streamText(statement, columns: columns, forEach: body)
        }
    }
}
