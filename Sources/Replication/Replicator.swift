import OrderBook

/// What decides about order: of what happens to a node it makes what the node shall do. No clock, no IO, no randomness.
///
/// The rules are told in the guide "How nodes agree". Each file of this module holds one of them.
public struct Replicator: Sendable {
    let configuration: ReplicationConfiguration
    let members: [NodeName]
    /// This node's place among the members.
    let me: Int
    let flaws: Flaw

    var now: Instant
    var actions: [Action] = []

    var peers: [Peer]
    var logs: [OriginLog]
    var pools: Pools
    var writer = Writer()
    var chain: ChainPoints
    var numbering: Numbering
    var holding: Holding
    var proposals: Proposals
    var level: Levelling
    var clock: ClockGuard
    var relays = Relays()
    var pulls: [Pulling]
    var reads = Reads()
    var heartbeats = Heartbeats()
    var divergence = Divergence()
    var gate = Gate()
    var agreed: Timestamp
    var counters = Counters()

    public init(configuration: ReplicationConfiguration, state: StoredState, now: Instant) {
        self.init(configuration: configuration, state: state, now: now, flaws: [])
    }

    package init(configuration: ReplicationConfiguration, state: StoredState, now: Instant, flaws: Flaw) {
        let members = configuration.members.sorted()
        guard let me = members.firstIndex(of: configuration.name) else {
            preconditionFailure("\(configuration.name) is not among the members \(members)")
        }
        self.configuration = configuration
        self.members = members
        self.me = me
        self.flaws = flaws
        self.now = now
        peers = Array(repeating: Peer(memberCount: members.count), count: members.count)
        logs = Array(repeating: OriginLog(), count: members.count)
        pools = Pools(memberCount: members.count)
        chain = ChainPoints(closed: state.closed, max: configuration.chainPointsMax)
        numbering = Numbering()
        holding = Holding()
        proposals = Proposals(memberCount: members.count)
        level = Levelling(
            since: now.uptime, memberCount: members.count, me: me, hasJoined: state.bound > Timestamp(.min))
        clock = ClockGuard(memberCount: members.count)
        pulls = Array(repeating: Pulling(), count: members.count)
        agreed = state.agreed
        load(state, promised: state.bound)
    }

    /// Takes what happened, and says what to do about it.
    public mutating func handle(_ event: Event, now: Instant) -> [Action] {
        note(now)
        switch event {
        case .tick: tick()
        case .entered(let commands): enter(commands)
        case .written(let number, let duplicates): written(number, duplicates)
        case .connected(let name): connected(name)
        case .disconnected(let name): disconnected(name)
        case .received(let message, let name): received(message, from: name)
        case .found(let number, let items, let isComplete): found(number, items, isComplete: isComplete)
        case .executed(let positions): heartbeats.markets.note(positions)
        case .compared(let name, let equal, let differing): compared(name, equal, differing)
        case .checked(let found): checked(found)
        case .rebuilt(let state): rebuilt(state)
        case .notRebuilt(let reason): notRebuilt(reason)
        }
        advance()
        defer { actions = [] }
        return actions
    }

    /// What may have become possible, whatever happened.
    private mutating func advance() {
        checkLevel()
        number()
        close()
        pull()
        announce()
        admit()
        flush()
    }

    private mutating func tick() {
        heartbeats.tick(now, interval: configuration.heartbeatInterval)
        judgeClock()
        disconnectSilent()
        resolveUnheld()
        expireProposals()
        relay()
        settleInquiry()
        // What changes with time alone is written with the regular heartbeats, together.
        guard heartbeats.isRegular else { return }
        extendBound()
        recordAgreed()
        copyIfFarBehind()
    }

    // MARK: State

    /// Begins from what the database holds.
    /// - Parameter promised: what may have been promised to others.
    mutating func load(_ state: StoredState, promised: Timestamp) {
        chain = ChainPoints(closed: state.closed, max: configuration.chainPointsMax)
        agreed = state.agreed
        logs = Array(repeating: OriginLog(), count: members.count)
        pools = Pools(memberCount: members.count)
        for log in state.logs {
            guard let origin = index(of: log.origin) else { continue }
            logs[origin] = OriginLog(stored: Intervals(log.stored), lastStamp: log.lastStamp)
        }
        for item in state.waiting {
            guard let origin = index(ofOrigin: item.command.origin) else { continue }
            pools.insert(item, of: origin)
        }
        let lastStamp = state.logs.first { $0.origin == configuration.name }?.lastStamp ?? Timestamp(.min)
        numbering.load(
            lastNumber: logs[me].known.highest, lastStamp: lastStamp,
            floor: max(promised, state.closed.through), bound: promised, entered: state.entered)
        if flaws.contains(.sequenceReused) { numbering.lastNumber = max(0, numbering.lastNumber - 1) }
        holding = Holding(pools.waiting(of: me).map { Holding.Item(number: $0.number, stamp: $0.command.time) })
        proposals.load(state.proposals.map { (index(of: $0.key), $0.value) })
    }

    func index(of name: NodeName) -> Int? { members.firstIndex(of: name) }

    func index(ofOrigin name: String) -> Int? {
        members.firstIndex { $0.rawValue.utf8.elementsEqual(name.utf8) }
    }

    /// Members that can be spoken to.
    var reachable: [Int] { peers.indices.filter { peers[$0].isReachable } }

    mutating func report(_ kind: Report.Kind, _ peer: Int?, _ text: String) {
        actions.append(.report(Report(kind, peer: peer.map { members[$0] }, text)))
    }

    mutating func send(_ message: Message, to peer: Int) { actions.append(.send(message, to: members[peer])) }
}

/// What `pgbook status` counts, since the start of the process.
struct Counters: Sendable {
    var unconfirmed = 0
    var late = 0
}
