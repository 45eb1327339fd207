internal import CLibPQ

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Connection {
    /// Sends statements one after another in one go and returns their results in the order of sending.
    ///
    ///     let results = try connection.pipeline { pipeline in
    ///         try pipeline.begin()
    ///         try pipeline.send(SQL.insertTrades, ids, prices)
    ///         try pipeline.send(SQL.deleteFilled, filled)
    ///         try pipeline.commit()
    ///     }
    ///
    /// After an error the server skips the rest; nothing of the pipeline stays, unless a transaction was open before,
    /// whose owner then rolls it back. Where the body throws, the same. Any number of statements may be sent: answers
    /// are taken in meanwhile.
    /// - Throws: what the body throws; the first error of a statement, with its `statementIndex`;
    ///   `connectionLost`; `commitOutcomeUnknown` where COMMIT was sent and not answered.
    @discardableResult
    public func pipeline(_ body: (inout Pipeline) throws -> Void) throws -> [Rows] {
        try startPipeline(body)
        return try finishPipeline()
    }

    /// As `pipeline`, but returns as soon as everything is on its way to the server. `finishPipeline` must be called
    /// before anything else on this connection.
    public func startPipeline(_ body: (inout Pipeline) throws -> Void) throws {
        try requireNotActive("pipeline")
        closeStatements()
        pipelineBeganIdle = transactionStatus == .idle
        guard PQenterPipelineMode(handle) == 1, PQsetnonblocking(handle, 1) == 0 else {
            throw PostgresError.fault(nil, on: handle, query: nil)
        }
        var pipeline = Pipeline(self)
        do {
            try body(&pipeline)
            try pipeline.sync()
        } catch {
            // Undo what the sync point would otherwise commit.
            if pipelineBeganIdle, !isLost { _ = try? pipeline.send("ROLLBACK", with: []) }
            if !isLost { _ = try? pipeline.finish() }
            leavePipeline()
            throw error
        }
        startedPipeline = consume pipeline
    }

    /// Waits for the results of the pipeline that was started.
    /// - Throws: as `pipeline`.
    @discardableResult
    public func finishPipeline() throws -> [Rows] {
        guard var pipeline = startedPipeline.take() else {
            throw PostgresError(.usage, "there is no pipeline to finish")
        }
        defer { leavePipeline() }
        return try pipeline.takeResults()
    }

    private func leavePipeline() {
        interrupt.didCommit()
        _ = PQsetnonblocking(handle, 0)
        _ = PQexitPipelineMode(handle)
        if pipelineBeganIdle { rollbackFailed() }
    }

    /// A pipeline that began its own transaction and failed in it leaves it failed.
    private func rollbackFailed() {
        if transactionStatus == .inFailedTransaction { rollback() }
    }

    /// Waits until the socket can be read, or written too.
    func waitForSocket(
        forWriting: Bool, timeoutMilliseconds: Int32 = -1
    ) -> (isReadable: Bool, isWritable: Bool) {
        var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN | (forWriting ? POLLOUT : 0)), revents: 0)
        _ = poll(&descriptor, 1, timeoutMilliseconds)
        let broken = Int32(descriptor.revents) & (POLLHUP | POLLERR | POLLNVAL) != 0
        return (
            broken || Int32(descriptor.revents) & POLLIN != 0, broken || Int32(descriptor.revents) & POLLOUT != 0
        )
    }
}
