internal import CLibPQ

/// Statements sent one after another without waiting for answers; see `Connection.pipeline`.
public struct Pipeline: ~Copyable {
    /// Unowned, for the connection holds a pipeline whose answers it has not taken yet.
    unowned let connection: Connection
    private var handle: OpaquePointer { connection.handle }
    /// What was sent, in order; answers come in the same order.
    private var sent: [Entry] = []
    private var answered = 0
    private var answerBegun = false
    private var results: [Rows?] = []
    private var queuedBytes = 0
    private var isCommitting = false
    private var commitAnswered = false
    private(set) var failure: PostgresError?

    private struct Entry {
        var sql: String
        /// Which of the results this is, or nil for a PREPARE.
        var result: Int?
        /// Set for a PREPARE: what to forget if it fails.
        var isPrepare: Bool { result == nil }
        var isCommit: Bool
    }

    init(_ connection: Connection) { self.connection = connection }

    /// Statements sent so far.
    public var count: Int { results.count }

    /// Queues a statement; returns the position of its result.
    /// - Throws: kind `connectionLost` or `usage`. The server's errors come when the pipeline ends.
    @discardableResult
    public mutating func send(_ sql: String, _ parameters: any PostgresEncodable...) throws(PostgresError) -> Int {
        try send(sql, with: parameters)
    }

    /// As `send(_:_:)`, with the parameters in an array.
    @discardableResult
    public mutating func send(_ sql: String, with values: [any PostgresEncodable]) throws(PostgresError) -> Int {
        try connection.parameters.encode(values, for: sql)
        return try enqueue(sql, isCommit: false)
    }

    /// Begins a transaction; without one, the whole pipeline is one.
    public mutating func begin(_ mode: String = "") throws(PostgresError) {
        try send(mode.isEmpty ? "BEGIN" : "BEGIN \(mode)", with: [])
    }

    /// Commits. From here on the task's cancellation does nothing.
    /// - Throws: `CancellationError` where the task is cancelled already.
    public mutating func commit() throws {
        try connection.interrupt.willCommit()
        isCommitting = true
        try connection.parameters.encode([], for: "COMMIT")
        _ = try enqueue("COMMIT", isCommit: true)
    }

    /// Says that the pipeline, sent outside a transaction, is one by itself: the server commits at its end. It saves the
    /// two statements BEGIN and COMMIT. From here on the task's cancellation does nothing.
    /// - Throws: `CancellationError` where the task is cancelled already.
    public mutating func commitAtEnd() throws {
        try connection.interrupt.willCommit()
        isCommitting = true
    }

    private mutating func enqueue(_ sql: String, isCommit: Bool) throws(PostgresError) -> Int {
        let name = try prepare(sql)
        let list = connection.parameters.lengths
        guard
            PQsendQueryPrepared(
                handle, name, Int32(list.count), connection.parameters.values(), list, connection.parameters.formats, 1)
                == 1
        else { throw lost(sql) }
        sent.append(Entry(sql: sql, result: results.count, isCommit: isCommit))
        results.append(nil)
        queuedBytes += connection.parameters.byteCount + list.count * 8 + 64
        if queuedBytes > PostgresLimits.sendBufferBytes { try flush() }
        return results.count - 1
    }

    private mutating func prepare(_ sql: String) throws(PostgresError) -> String {
        let types = connection.parameters.types
        if connection.isHeld {
            guard PQsendPrepare(handle, "", sql, Int32(types.count), types) == 1 else { throw lost(sql) }
            sent.append(Entry(sql: sql, result: nil, isCommit: false))
            return ""
        }
        if let name = connection.statements.name(of: sql, types: types) { return name }
        let name = connection.statements.insert(sql, types: types)
        guard PQsendPrepare(handle, name, sql, Int32(types.count), types) == 1 else {
            connection.statements.remove(sql, wasPrepared: false)
            throw lost(sql)
        }
        sent.append(Entry(sql: sql, result: nil, isCommit: false))
        return name
    }

    private func lost(_ sql: String?) -> PostgresError {
        var error = PostgresError.fault(nil, on: handle, query: sql)
        if commitIsPending { error = error.ofCommit }
        return error
    }

    /// Pushes what is queued to the server. While its socket is full, answers are taken in: a server that cannot get
    /// rid of its answers reads no more statements, and both would wait for ever.
    private mutating func flush() throws(PostgresError) {
        queuedBytes = 0
        while true {
            let state = PQflush(handle)
            if state == 0 { return }
            guard state == 1 else { throw lost(nil) }
            let ready = connection.waitForSocket(forWriting: true)
            if ready.isReadable {
                guard PQconsumeInput(handle) == 1 else { throw lost(nil) }
                takeAnswersThatAreHere()
            }
        }
    }

    private mutating func takeAnswersThatAreHere() {
        while answered < sent.count, PQisBusy(handle) == 0 {
            guard take(PQgetResult(handle)) else { return }
        }
    }

    /// Sends the sync point and takes the answers up to it.
    mutating func finish() throws(PostgresError) -> [Rows] {
        try sync()
        return try takeResults()
    }

    /// Sends the sync point; everything is on its way then.
    mutating func sync() throws(PostgresError) {
        guard PQpipelineSync(handle) == 1 else { throw lost(nil) }
        try flush()
    }

    /// Takes the answers up to the sync point.
    mutating func takeResults() throws(PostgresError) -> [Rows] {
        while take(PQgetResult(handle)) {}
        if let failure { throw failure.isConnectionLost && commitIsPending ? failure.ofCommit : failure }
        if connection.isLost || answered < sent.count { throw lost(nil) }
        return results.compactMap { $0 }
    }

    /// COMMIT was sent, and nobody knows yet what became of it.
    private var commitIsPending: Bool { isCommitting && !commitAnswered }

    /// Takes one answer; false when there is nothing more to come.
    private mutating func take(_ result: OpaquePointer?) -> Bool {
        guard let result else {
            // The end of one statement's answers.
            guard answerBegun, !connection.isLost else { return false }
            answerBegun = false
            answered += 1
            return true
        }
        answerBegun = true
        let status = PQresultStatus(result)
        if status == PGRES_PIPELINE_SYNC {
            // A commit at the end is done, or was not tried since a statement failed.
            commitAnswered = true
            PQclear(result)
            return false
        }
        guard answered < sent.count else {
            PQclear(result)
            return !connection.isLost
        }
        record(result, aborted: status == PGRES_PIPELINE_ABORTED)
        return !connection.isLost
    }

    private mutating func record(_ result: OpaquePointer, aborted: Bool) {
        let entry = sent[answered]
        if aborted {
            PQclear(result)
            if entry.isPrepare { connection.statements.remove(entry.sql, wasPrepared: false) }
            if entry.isCommit { commitAnswered = true }
            return
        }
        do {
            let rows = try connection.check(result, entry.sql)
            if let index = entry.result { results[index] = rows }
            if entry.isCommit { answeredCommit(rows) }
        } catch {
            if entry.isPrepare { connection.statements.remove(entry.sql, wasPrepared: false) }
            if entry.isCommit, !error.isConnectionLost { commitAnswered = true }
            var error = error
            error.statementIndex = entry.result ?? sent[(answered + 1)...].first?.result
            failure = failure ?? error
        }
    }

    private mutating func answeredCommit(_ rows: Rows) {
        commitAnswered = true
        guard rows.commandTag != "COMMIT", failure == nil else { return }
        failure = PostgresError(
            .server, "the transaction was rolled back: a statement in it had failed", sqlState: .inFailedTransaction)
    }
}
