import OrderBook

/// Whether this node has what the others have. While it does not, it stamps nothing and closes nothing of its own accord.
struct Levelling: Sendable {
    private(set) var isLevel = false
    /// Peers have to answer to this heartbeat or a later one.
    private(set) var heartbeat: Int64 = 1
    /// When it was last without any peer.
    var aloneSince: Int64
    /// A node that starts alone goes on alone.
    private(set) var mayGoOnAlone = true
    private(set) var reason = "it starts"

    init(since: Int64) { aloneSince = since }

    mutating func lose(_ reason: String, heartbeat: Int64) {
        isLevel = false
        self.heartbeat = heartbeat
        self.reason = reason
    }

    mutating func reach() { isLevel = true }

    mutating func foundPeer(goesOnAlone: Bool) { mayGoOnAlone = goesOnAlone }
}

extension Replicator {
    /// Takes note of the time, and of what is wrong with it.
    mutating func note(_ new: Instant) {
        let passed = new.uptime - now.uptime
        let shown = new.wall.rawValue - now.wall.rawValue
        now = new
        if passed > configuration.pauseMax { return loseLevel("the process stood still for \(passed / 1_000) ms") }
        guard (shown - passed).magnitude > (configuration.clockDifferenceMax / 4).magnitude else { return }
        clock.forgetAll()
        loseLevel("its clock was set by \((shown - passed) / 1_000) ms")
    }

    mutating func loseLevel(_ reason: String) {
        if level.isLevel { report(.behind, nil, "not level: \(reason)") }
        level.lose(reason, heartbeat: heartbeats.lastNumber + 1)
        for peer in peers.indices { peers[peer].snapshot = nil }
        heartbeats.isDue = true
    }

    /// A peer's answer to a heartbeat that was sent since this node is not level: what it had then has to be here.
    mutating func takeSnapshot(of peer: Int) {
        level.foundPeer(goesOnAlone: configuration.goesOnAlone)
        guard !level.isLevel, peers[peer].snapshot == nil, peers[peer].echoedNumber >= level.heartbeat else { return }
        peers[peer].snapshot = peers[peer].positions
    }

    mutating func checkLevel() {
        guard !level.isLevel, !divergence.isRebuilding, isLevelNow else { return }
        level.reach()
        report(.level, nil, "level")
        heartbeats.isDue = true
        extendBound()
    }

    private var isLevelNow: Bool {
        if members.count == 1 { return true }
        let connected = peers.indices.filter { peers[$0].isConnected }
        guard !connected.isEmpty else {
            return level.mayGoOnAlone && now.uptime - level.aloneSince >= configuration.window
        }
        return holding.items.isEmpty && connected.allSatisfy(covers)
    }

    private func covers(_ peer: Int) -> Bool {
        guard peers[peer].isIntroduced, let snapshot = peers[peer].snapshot else { return false }
        return logs.indices.allSatisfy { covers(snapshot[$0], of: $0, by: peer) }
    }

    /// Whether all that a peer has of an origin is here.
    func covers(_ position: Peer.Position, of origin: Int, by peer: Int) -> Bool {
        let here = logs[origin].known.contiguous
        if here >= position.highest { return true }
        return here >= position.contiguous && peers[peer].answeredThrough[origin] >= position.highest
    }
}
