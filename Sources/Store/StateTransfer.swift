public import Postgres

/// Blocks of a state on their way between a database and a peer; each about 64 KB.
private let blocksMax = 8

extension ConnectionConfiguration {
    /// Gives the whole state of this node, over a connection of its own.
    /// - Parameter send: waits while the peer is busy; throwing ends it.
    public func giveState(to send: @Sendable ([UInt8]) async throws -> Void) async throws {
        let pipe = ThreadPipe<[UInt8]>(valuesMax: blocksMax)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await once(for: .working) { connection in try connection.giveState { try pipe.putBlocking($0) } }
                    pipe.end()
                } catch {
                    pipe.end(.failure(error))
                    throw error
                }
            }
            do {
                while let block = try await pipe.take() { try await send(block) }
            } catch {
                pipe.end(.failure(error))
                throw error
            }
            try await group.waitForAll()
        }
    }

    /// Replaces the state of this node by a peer's, over a connection of its own; all or nothing.
    /// - Parameters:
    ///   - source: the peer's name, for people.
    ///   - parts: the bytes that the peer gave, in pieces of any size. Where they end with an error nothing is changed.
    /// - Returns: how many commands have another outcome than before.
    public func takeState<Parts: AsyncSequence & Sendable>(
        from source: String, _ parts: Parts
    ) async throws -> Int64 where Parts.Element == [UInt8] {
        let pipe = ThreadPipe<[UInt8]>(valuesMax: blocksMax)
        return try await withThrowingTaskGroup(of: Int64.self) { group in
            group.addTask {
                do {
                    return try await once(for: .working) { connection in
                        try connection.takeState(from: source) { try pipe.takeBlocking() }
                    }
                } catch {
                    pipe.end(.failure(error))
                    throw error
                }
            }
            do {
                for try await part in parts { try await pipe.put(part) }
                pipe.end()
            } catch {
                pipe.end(.failure(error))
                throw error
            }
            return try await group.next() ?? 0
        }
    }
}
