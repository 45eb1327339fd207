public import Replication

/// A peer wants a copy of this node's state. Give it from a task of its own: `send` waits while the peer has no room.
///
///     try await request.begin(header)
///     for try await part in copyOut { try await request.send(part) }
///     request.end()
public struct SnapshotRequest: Sendable {
    public let peer: NodeName
    let giving: SnapshotGiving
    let mesh: Mesh
    private let sent = SentBytes()

    init(peer: NodeName, giving: SnapshotGiving, mesh: Mesh) {
        self.peer = peer
        self.giving = giving
        self.mesh = mesh
    }

    /// - Parameter header: what the peer must know before the parts, at most `CodecLimits.snapshotHeaderBytesMax`.
    public func begin(_ header: [UInt8]) { mesh.send(.begin(copy: giving.copy, header: header), to: peer) }

    /// Sends bytes, in parts of the mesh's own size.
    /// - Throws: `GossipFault` where the peer is gone or wants no more; then giving it is over.
    public func send(_ bytes: [UInt8]) async throws(GossipFault) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(mesh.limits.snapshotPartBytes))
            rest = rest.dropFirst(part.count)
            guard await giving.reserve(part.count) else { throw GossipFault("\(peer) takes no more of the snapshot") }
            sent.add(part.count)
            mesh.send(.chunk(copy: giving.copy, part), to: peer)
        }
    }

    /// All is sent.
    public func end() { mesh.send(.end(copy: giving.copy, bytes: sent.count), to: peer) }

    /// It is not given, or not to its end.
    /// - Parameter because: one line for the peer's operator.
    public func refuse(because: String) {
        mesh.send(.refused(copy: giving.copy, because: because.cut(toBytes: CodecLimits.textBytesMax)), to: peer)
    }
}

extension String {
    /// At most so many bytes, without half a character and without what no text may hold.
    func cut(toBytes max: Int) -> String {
        var text = self.filter { $0 != "\0" }
        while text.utf8.count > max { text.removeLast() }
        return text
    }
}
