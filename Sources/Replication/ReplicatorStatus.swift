public import OrderBook

/// What a node knows of itself and its peers, for people to look at.
public struct ReplicatorStatus: Hashable, Sendable {
    public struct Peer: Hashable, Sendable {
        public var name: NodeName
        public var isConnected: Bool
        /// What the peer says of itself.
        public var isLevel: Bool
        /// Microseconds by which its clock is ahead of this node's; nil where it was not measured.
        public var clockOffset: Int64?
        /// Microseconds from its last heartbeat till now; nil before the first.
        public var silentFor: Int64?
        /// How many of its commands are known of and not stored here.
        public var missing: Int64
        /// How many of this node's commands it has not stored yet.
        public var lag: Int64
        public var watermark: Timestamp
        /// Up to where its chain was found equal to this node's.
        public var agreed: Timestamp
        /// Of its commands, how many came too late here; of this node's, how many came too late there.
        public var lateHere: Int
        public var lateThere: Int
    }

    public var peers: [Peer]
    public var isLevel: Bool
    public var isRebuilding: Bool
    /// This node's last announced watermark.
    public var watermark: Timestamp
    public var closed: ChainPoint
    /// All members agreed up to here.
    public var agreed: Timestamp
    /// The last number given to a command of this node.
    public var lastNumber: Int64
    /// Up to where each member's log is stored without a gap.
    public var stored: [NodeName: Int64]
    /// Accepted commands that are not closed.
    public var waiting: Int
    /// This node's commands without a stamp.
    public var entered: Int
    /// This node's commands, since the start of the process: those that were refused for want of confirmations,
    public var unconfirmed: Int
    /// and of all nodes' those that came too late here.
    public var late: Int
    public var admits: Bool
    /// Why it takes no orders.
    public var because: String?
}

extension Replicator {
    public var status: ReplicatorStatus {
        ReplicatorStatus(
            peers: peers.indices.filter { $0 != me }.map(status), isLevel: level.isLevel,
            isRebuilding: divergence.isRebuilding, watermark: heartbeats.watermark, closed: chain.closed,
            agreed: agreed, lastNumber: numbering.lastNumber, stored: stored, waiting: pools.count,
            entered: numbering.count,
            unconfirmed: counters.unconfirmed, late: counters.late, admits: gate.admits, because: gate.because)
    }

    private var stored: [NodeName: Int64] {
        Dictionary(uniqueKeysWithValues: zip(members, logs.map(\.durable.contiguous)))
    }

    private func status(of peer: Int) -> ReplicatorStatus.Peer {
        let known = peers[peer]
        return ReplicatorStatus.Peer(
            name: members[peer], isConnected: known.isReachable, isLevel: known.isLevel,
            clockOffset: clock.offset(peer), silentFor: known.echo == nil ? nil : now.uptime - known.heardAt,
            missing: max(0, logs[peer].heardOf - logs[peer].known.contiguous),
            lag: max(0, logs[me].durable.contiguous - known.positions[me].contiguous), watermark: known.promiseKept,
            agreed: known.agreed, lateHere: known.lateHere, lateThere: known.lateThere)
    }
}
