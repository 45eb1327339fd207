public import Replication

/// What the peers do, in the order in which it happens. Between `connected` and `disconnected` of a peer its messages come
/// in the order in which it sent them, each once.
public enum MeshEvent: Sendable {
    /// Both sides have opened the connection.
    case connected(NodeName)
    case disconnected(NodeName)
    case received(Message, from: NodeName)
    /// A peer wants a copy of this node's state.
    case snapshotRequested(SnapshotRequest)
}
