internal import CLibPQ
internal import Dispatch
internal import Synchronization

extension Connection {
    /// `COPY … TO STDOUT`, consumed on a thread of its own while more arrives.
    ///
    /// The blocks are of whole rows, as the server sent them, and go round: no more than
    /// `PostgresLimits.copyBlocksMax` of them exist, so memory use depends neither on the number of rows nor on who is
    /// slower.
    /// - Parameters:
    ///   - onBlock: called on this thread after each block with its bytes; throwing ends the copy.
    ///   - consume: called on the other thread, in order. Throwing ends the copy and is passed on.
    /// - Returns: rows copied.
    @discardableResult
    public func copyOut(
        _ sql: String, onBlock: (Int) throws -> Void = { _ in },
        consumeOnThread consume: @escaping @Sendable ([UInt8]) throws -> Void
    ) throws -> Int {
        let blocks = BlockQueue()
        startThread(name: "pgbook-copy") { blocks.consumeAll(consume) }
        do {
            let count = try copyBlocks(sql) { block in
                let size = block.count
                try blocks.exchange(&block)
                try onBlock(size)
            }
            try blocks.finish()
            return count
        } catch {
            throw blocks.abandon() ?? error
        }
    }

    /// `COPY … TO STDOUT` in blocks of whole rows.
    /// - Parameter receive: takes the block, or exchanges it for an empty one; throwing ends the copy, and is passed on.
    /// - Returns: rows copied.
    func copyBlocks(_ sql: String, _ receive: (inout [UInt8]) throws -> Void) throws -> Int {
        try beginCopyOut(sql)
        var block = emptyCopyBlock()
        do {
            while let row = nextCopyRow() {
                block.append(contentsOf: row)
                PQfreemem(UnsafeMutableRawPointer(mutating: row.baseAddress))
                guard block.count >= PostgresLimits.sendBufferBytes else { continue }
                try receive(&block)
                block.removeAll(keepingCapacity: true)
            }
            if !block.isEmpty { try receive(&block) }
        } catch {
            interrupt.cancel()
            abandonCopy()
            throw error
        }
        return try endCopy(sql)
    }
}

private func emptyCopyBlock() -> [UInt8] {
    var block: [UInt8] = []
    block.reserveCapacity(PostgresLimits.sendBufferBytes * 2)
    return block
}

/// Full blocks on their way to a consumer, and empty ones on their way back.
private final class BlockQueue: Sendable {
    private struct State {
        var full: [[UInt8]] = []
        var empty: [[UInt8]] = []
        var fault: (any Error)?
        var isAbandoned = false
    }

    private let state = Mutex(State())
    /// Counts blocks that may be handed over.
    private let room = DispatchSemaphore(value: 0)
    /// Counts blocks to be consumed; an empty one ends it.
    private let work = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init() {
        // One block is filled, one consumed, the others wait. Counted up, since a semaphore must end no lower than it began.
        for _ in 2..<PostgresLimits.copyBlocksMax { room.signal() }
    }

    // MARK: the producer's side

    /// Hands a full block over and gets an empty one.
    func exchange(_ block: inout [UInt8]) throws {
        room.wait()
        var fresh: [UInt8]?
        var full: [UInt8] = []
        swap(&full, &block)
        let fault = state.withLock { state in
            state.full.append(full)
            fresh = state.empty.popLast()
            return state.fault
        }
        block = fresh ?? emptyCopyBlock()
        work.signal()
        if let fault { throw fault }
    }

    /// Waits until all is consumed.
    func finish() throws {
        work.signal()
        waitForEnd()
        if let fault = state.withLock({ $0.fault }) { throw fault }
    }

    /// Ends the consumer without what was not consumed yet, and tells why it had failed, if it had.
    func abandon() -> (any Error)? {
        state.withLock { state in
            state.isAbandoned = true
            state.full = []
        }
        work.signal()
        waitForEnd()
        return state.withLock { $0.fault }
    }

    /// May be called again.
    private func waitForEnd() {
        ended.wait()
        ended.signal()
    }

    // MARK: the consumer's side

    func consumeAll(_ consume: @Sendable ([UInt8]) throws -> Void) {
        defer { ended.signal() }
        while let block = next() {
            do {
                try consume(block)
            } catch {
                state.withLock { $0.fault = error }
                // The producer may wait for room, and learns of the fault at its next block.
                room.signal()
                return
            }
            giveBack(block)
        }
    }

    private func next() -> [UInt8]? {
        work.wait()
        return state.withLock { state in
            guard !state.full.isEmpty, !state.isAbandoned else { return nil }
            return state.full.removeFirst()
        }
    }

    private func giveBack(_ block: [UInt8]) {
        var block = block
        block.removeAll(keepingCapacity: true)
        state.withLock { $0.empty.append(block) }
        room.signal()
    }
}
