import OrderBook

/// Whether this node has what the others have. While it does not, it stamps nothing and closes nothing of its own accord.
struct Levelling: Sendable {
    private(set) var isLevel = false
    /// Peers have to answer to this heartbeat or a later one.
    private(set) var heartbeat: Int64 = 1
    /// When this process began.
    let startedAt: Int64
    /// When it was last without any peer.
    var aloneSince: Int64
    /// A node that starts alone goes on alone.
    private(set) var mayGoOnAlone = true
    private(set) var reason = "it starts"
    /// Whether it was level with all members once: see `hasJoined(_:)`.
    private(set) var hasJoined: Bool
    /// By member, whether it has answered since this process began.
    private(set) var met: [Bool]
    /// By origin, up to where commands were sent here while this node was not level and were not taken.
    private(set) var untaken: [Int64]
    /// Since a copy of the state was asked for and not given the log is pulled, until then.
    var copyAgainAt = Int64.min

    init(since: Int64, memberCount: Int, me: Int, hasJoined: Bool) {
        startedAt = since
        aloneSince = since
        self.hasJoined = hasJoined || memberCount == 1
        met = (0..<memberCount).map { $0 == me }
        untaken = Array(repeating: 0, count: memberCount)
    }

    mutating func lose(_ reason: String, heartbeat: Int64) {
        isLevel = false
        self.heartbeat = heartbeat
        self.reason = reason
    }

    mutating func leave(_ number: Int64, of origin: Int) { untaken[origin] = max(untaken[origin], number) }

    mutating func reach() {
        untaken = Array(repeating: 0, count: untaken.count)
        isLevel = true
        hasJoined = true
    }

    mutating func meet(_ peer: Int) { met[peer] = true }

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
        let first = level.isLevel ? 1 : level.heartbeat
        guard peers[peer].snapshot == nil, peers[peer].echoedNumber >= first else { return }
        peers[peer].snapshot = peers[peer].positions
        judgeClock()
        if peers[peer].hasSameMembers { level.meet(peer) }
    }

    mutating func checkLevel() {
        for peer in peers.indices where peers[peer].isConnected && !peers[peer].isSynced {
            peers[peer].isSynced = covers(peer)
        }
        guard !level.isLevel, !divergence.isRebuilding, divergence.damage == nil, isLevelNow else { return }
        level.reach()
        report(.level, nil, "level")
        heartbeats.isDue = true
        extendBound()
    }

    private var isLevelNow: Bool {
        if members.count == 1 { return true }
        guard hasJoined else { return false }
        let connected = peers.indices.filter { peers[$0].isConnected }
        guard !connected.isEmpty else {
            return level.mayGoOnAlone && now.uptime - level.aloneSince >= configuration.window
        }
        // What was left to be pulled is not in the peers' answers, which may be older.
        guard logs.indices.allSatisfy({ logs[$0].known.contiguous >= level.untaken[$0] }) else { return false }
        return holding.items.isEmpty && connected.allSatisfy(covers)
    }

    /// A node whose database is empty may be new, or have lost it. It takes no orders before it has heard all members
    /// once, and has what they have of its own: else it might number a command as it did one before, or enter commands that
    /// a member does not expect of it. Where nobody has any command the cluster is new, and most of its members are enough.
    private var hasJoined: Bool {
        guard !level.hasJoined else { return true }
        guard logs[me].known.contiguous >= logs[me].heardOf else { return false }
        return unmet.isEmpty || isFounding
    }

    /// Whether all numbers that this node ever gave are here, as far as anybody has them.
    var hasOwnLog: Bool {
        unmet.isEmpty && logs[me].durable.contiguous >= logs[me].heardOf
    }

    private var isFounding: Bool {
        unmet.count * 2 < members.count && chain.closed.through == Timestamp(.min)
            && logs.allSatisfy { $0.heardOf == 0 }
    }

    /// Members that a new node has not heard.
    var unmet: [Int] { level.hasJoined ? [] : members.indices.filter { !level.met[$0] } }

    /// What is missing is much, and more than what is here: a copy of the state comes sooner than the log.
    mutating func copyIfFarBehind() {
        guard !level.isLevel, now.uptime >= level.copyAgainAt, !divergence.isRebuilding else { return }
        // While it copies it promises only what it could promise before. Not all may have been heard when it starts.
        guard mayPromise || now.uptime - level.startedAt >= configuration.window else { return }
        let here = logs.reduce(0) { $0 + $1.known.contiguous }
        let missing = logs.reduce(0) { $0 + max(0, $1.heardOf - $1.known.contiguous) }
        guard missing > configuration.copyAbove, missing > here else { return }
        // Whoever copies stores no commands meanwhile: somebody else must, or what enters would be late.
        let level = reachable.filter { peers[$0].isLevel }
        guard level.count > 1, let source = level.first(where: { peers[$0].snapshot != nil }) else { return }
        rebuild(from: source, "it lacks \(missing) commands")
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
