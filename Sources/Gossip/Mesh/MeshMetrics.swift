public import Replication

/// What a mesh has counted since it began.
public struct MeshMetrics: Hashable, Sendable {
    public struct Peer: Hashable, Sendable {
        public var name: NodeName
        public var isConnected = false
        /// Connections that were opened; all but the first are reconnects.
        public var connections = 0
        public var framesIn = 0
        public var framesOut = 0
        public var bytesIn = 0
        public var bytesOut = 0
        /// Bytes that wait to be sent, and that came and were not taken yet.
        public var outboxBytes = 0
        public var inboxBytes = 0
        /// What this peer may be sent now.
        public var credit = 0
        /// Messages of pushed commands that were given up because the peer was slow.
        public var pushesDropped = 0
        /// How often its socket was not read for a while, for it sent more than it may in a second.
        public var throttled = 0

        init(_ name: NodeName) { self.name = name }
    }

    public var peers: [Peer] = []
    /// Connections that were refused or ended, by reason.
    public var refusals: [MeshRefusal: Int] = [:]
    /// Accepted connections that have not shown a certificate yet.
    public var strangers = 0
    /// Attempts to reach a peer that came to nothing.
    public var dialsFailed = 0
}
