public import Replication

/// A peer's state, as it comes: first its header, then its parts in order.
///
///     let copy = try await mesh.snapshot(from: peer)
///     for try await part in copy { try copyIn.write(part) }
///
/// The parts end without an error only if all came. Whoever takes none keeps the peer from sending more.
public struct SnapshotCopy: AsyncSequence, Sendable {
    public typealias Element = [UInt8]

    public let peer: NodeName
    public let header: [UInt8]
    let taking: SnapshotTaking
    let mesh: Mesh

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(copy: self) }

    /// Tells the peer to send no more.
    public func cancel() {
        taking.fail(GossipFault("the copying was given up"))
        mesh.send(.cancel(copy: taking.copy), to: peer)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let copy: SnapshotCopy
        /// Taken and not yet given back as credit.
        private var taken = 0

        init(copy: SnapshotCopy) { self.copy = copy }

        public mutating func next() async throws(GossipFault) -> [UInt8]? {
            let part: [UInt8]?
            do {
                part = try await copy.taking.next()
            } catch {
                copy.cancel()
                throw error
            }
            taken += part?.count ?? 0
            if taken >= copy.mesh.limits.snapshotBytesMax / 4 {
                copy.mesh.send(.credit(copy: copy.taking.copy, Int64(taken)), to: copy.peer)
                taken = 0
            }
            return part
        }
    }
}
