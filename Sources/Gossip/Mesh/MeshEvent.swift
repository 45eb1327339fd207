public import Replication

/// One of the connections that there are to a peer, one after the other.
public struct ConnectionID: Hashable, Sendable {
    let link: UInt64
}

/// What the peers do, in the order in which it happens. Between `connected` and `disconnected` of a peer its messages come
/// in the order in which it sent them, each once.
public enum MeshEvent: Sendable {
    /// Both sides have opened the connection. Nothing is sent on it before `Mesh.begin`.
    case connected(NodeName, ConnectionID)
    case disconnected(NodeName)
    case received(Message, from: NodeName)
    /// A peer wants a copy of this node's state.
    case snapshotRequested(SnapshotRequest)
}
