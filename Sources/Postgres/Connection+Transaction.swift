internal import CLibPQ

extension Connection {
    /// BEGIN, the body, COMMIT; ROLLBACK where the body throws.
    ///
    /// A body may end the transaction itself (a pipeline that contains COMMIT saves a round trip). When the task is
    /// cancelled before COMMIT was sent the transaction is rolled back; afterwards the answer is awaited.
    /// - Parameter mode: what follows BEGIN, such as `ISOLATION LEVEL REPEATABLE READ, READ ONLY`.
    /// - Throws: what the body throws; `CancellationError`; kind `commitOutcomeUnknown` when the connection was lost
    ///   during COMMIT; kind `server` when COMMIT was refused or the body swallowed an error of the transaction.
    public func transaction<R>(_ mode: String = "", _ body: (Connection) throws -> R) throws -> R {
        if isHeld { return try body(self) }
        guard transactionStatus == .idle else {
            throw PostgresError(
                isLost ? .connectionLost : .usage, isLost ? "before BEGIN" : "a transaction is open already")
        }
        try command("BEGIN \(mode)")
        let value: R
        do {
            value = try body(self)
        } catch {
            rollback()
            throw error
        }
        if transactionStatus != .idle { try commit() }
        return value
    }

    /// Ends an open transaction without a trace. A lost connection has done so already.
    public func rollback() {
        guard !isHeld, transactionStatus == .inTransaction || transactionStatus == .inFailedTransaction
        else { return }
        PQclear(PQexec(handle, "ROLLBACK"))
    }

    private func commit() throws {
        do {
            try interrupt.willCommit()
        } catch {
            rollback()
            throw error
        }
        defer { interrupt.didCommit() }
        let tag: String
        do {
            tag = try command("COMMIT")
        } catch  where error.isConnectionLost {
            throw error.ofCommit
        }
        guard tag == "COMMIT" else {
            throw PostgresError(
                .server, "the transaction was rolled back: a statement in it had failed", sqlState: .inFailedTransaction
            )
        }
    }

    /// One statement without parameters, not prepared; returns its tag.
    @discardableResult
    func command(_ sql: String) throws(PostgresError) -> String {
        try requireNotActive(sql)
        return try check(PQexec(handle, sql), sql).commandTag
    }
}

extension PostgresError {
    /// The connection was lost between COMMIT and its answer.
    var ofCommit: PostgresError {
        var error = self
        error.kind = .commitOutcomeUnknown
        return error
    }
}
