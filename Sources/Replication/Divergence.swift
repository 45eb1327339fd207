import OrderBook

/// What is done about nodes whose chains differ.
struct Divergence: Sendable {
    struct Inquiry: Sendable {
        var at: Timestamp
        var since: Int64
        var askedAt: Int64
        /// By member: its chain then.
        var answers: [Digest?]
        /// Those who have forgotten.
        var without: Set<Int> = []
    }

    var inquiry: Inquiry?
    /// A peer's state is being copied, or will be when what was asked for before is written.
    var isRebuilding = false
    /// Whose state is to be copied.
    var source: Int?
    /// The shell copies: it takes no writes meanwhile.
    var isCopying = false
    var lastInquiryAt = Int64.min / 2
    /// How this node differs from most, while none of those is there to copy from.
    var minority: String?
    /// When another result than a peer's was found first, of those that stand.
    var resultsDifferSince: Int64?
    /// The shell compares the tables with the log.
    var isChecking = false
    /// When they were compared last, because results differed, and the tables followed from the log.
    var soundAt: Int64?
    /// The tables are wrong, and no peer was there to copy from.
    var damage: String?
    /// Why it was, or is, rebuilt.
    var reason = ""
}

extension Replicator {
    // MARK: Finding it

    /// Compares a peer's chain with this node's at the same time.
    mutating func compare(_ point: ChainPoint, with peer: Int) {
        guard !divergence.isRebuilding, let theirs = point.digest else { return }
        guard point.through <= chain.closed.through else {
            if peers[peer].nextPoint == nil { peers[peer].nextPoint = point }
            return
        }
        guard let mine = chain.digest(at: point.through) else { return }
        if mine == theirs { return foundEqual(peer, through: point.through) }
        foundDifferent(peer, at: point.through, mine: mine, theirs: theirs)
    }

    /// This node has closed further: points that it had not reached can be compared.
    mutating func compareNextPoints() {
        for peer in peers.indices {
            guard let point = peers[peer].nextPoint, point.through <= chain.closed.through else { continue }
            peers[peer].nextPoint = nil
            compare(point, with: peer)
        }
    }

    private mutating func foundEqual(_ peer: Int, through: Timestamp) {
        peers[peer].differs = false
        peers[peer].agreed = max(peers[peer].agreed, through)
        if !peers.contains(where: \.differs) { divergence.minority = nil }
    }

    private mutating func foundDifferent(_ peer: Int, at time: Timestamp, mine: Digest, theirs: Digest) {
        if !peers[peer].differs {
            peers[peer].differs = true
            report(.diverged, peer, "\(members[peer]) has executed other commands up to \(time.rawValue)")
        }
        let pause = 4 * configuration.heartbeatInterval
        guard divergence.inquiry == nil, now.uptime - divergence.lastInquiryAt >= pause else { return }
        var answers: [Digest?] = Array(repeating: nil, count: members.count)
        answers[me] = mine
        answers[peer] = theirs
        // Who agreed with this node up to then need not be asked, nor be there.
        for other in peers.indices where other != peer && other != me && peers[other].agreed >= time {
            answers[other] = mine
        }
        divergence.inquiry = Divergence.Inquiry(
            at: time, since: now.uptime, askedAt: now.uptime, answers: answers)
        send(.chainAnswer(ChainPoint(through: time, digest: mine)), to: peer)
        ask()
        settleInquiry()
    }

    // MARK: Asking all

    private mutating func ask() {
        guard let inquiry = divergence.inquiry else { return }
        for peer in reachable where inquiry.answers[peer] == nil && !inquiry.without.contains(peer) {
            send(.chainQuery(inquiry.at), to: peer)
        }
    }

    mutating func answer(_ time: Timestamp, from peer: Int) {
        guard !divergence.isRebuilding else { return }
        guard time <= chain.closed.through else { return send(.chainAnswer(chain.closed), to: peer) }
        send(.chainAnswer(ChainPoint(through: time, digest: chain.digest(at: time))), to: peer)
    }

    mutating func receive(_ point: ChainPoint, from peer: Int) {
        guard divergence.inquiry?.at == point.through else { return compare(point, with: peer) }
        if let digest = point.digest {
            divergence.inquiry?.answers[peer] = digest
        } else {
            divergence.inquiry?.without.insert(peer)
        }
        settleInquiry()
    }

    /// Decides when all have answered, or enough time has passed.
    mutating func settleInquiry() {
        judgeResults()
        repair()
        guard let inquiry = divergence.inquiry else { return }
        let isPatient = now.uptime - inquiry.since < 2 * configuration.heartbeatInterval
        let lacks = reachable.contains { inquiry.answers[$0] == nil && !inquiry.without.contains($0) }
        guard !(isPatient && lacks) else {
            guard now.uptime - inquiry.askedAt >= configuration.heartbeatInterval / 2 else { return }
            divergence.inquiry?.askedAt = now.uptime
            return ask()
        }
        divergence.inquiry = nil
        divergence.lastInquiryAt = now.uptime
        let right = largestGroup(inquiry.answers)
        divergence.minority = nil
        guard !right.contains(me) else { return }
        let reason = "the chain differs from \(names(right)) at \(inquiry.at.rawValue)"
        guard let source = right.first(where: { peers[$0].isReachable && peers[$0].isLevel }) else {
            divergence.minority = reason
            return
        }
        rebuild(from: source, reason)
    }

    /// The members with the most frequent answer; of equally frequent ones, those of the lowest name.
    private func largestGroup(_ answers: [Digest?]) -> [Int] {
        var best: [Int] = []
        for member in answers.indices {
            guard let answer = answers[member] else { continue }
            let group = answers.indices.filter { answers[$0] == answer }
            if group.count > best.count { best = group }
        }
        return best
    }

    func names(_ group: [Int]) -> String { group.map { members[$0].rawValue }.joined(separator: ", ") }

    // MARK: Results

    mutating func compared(_ name: NodeName, _ equal: [MarketPosition], _ differing: [MarketPosition]) {
        guard !divergence.isRebuilding, let peer = index(of: name), peer != me else { return }
        guard let first = differing.first else { return foundEqual(peer, equal) }
        peers[peer].agreesOnResults = false
        peers[peer].isComparedWhole = false
        if divergence.resultsDifferSince == nil { divergence.resultsDifferSince = now.uptime }
        guard peers[peer].differingMarket == nil else { return }
        peers[peer].differingMarket = first.market
        report(.diverged, peer, "\(name) has another result in \(first.market) at \(first.seq.rawValue)")
    }

    private mutating func foundEqual(_ peer: Int, _ equal: [MarketPosition]) {
        // Those that this node has not reached are compared when they are told again.
        peers[peer].isComparedWhole = equal.count == peers[peer].marketsCompared.count
        if equal.contains(where: { $0.market == peers[peer].differingMarket }) { peers[peer].differingMarket = nil }
        guard peers[peer].differingMarket == nil else { return }
        if !equal.isEmpty { peers[peer].agreesOnResults = true }
        guard !peers.contains(where: { $0.differingMarket != nil }) else { return }
        divergence.resultsDifferSince = nil
        divergence.soundAt = nil
    }

    /// Peers that executed the same commands with other results, for a while. One that is not level may know already that
    /// its tables are wrong.
    private var contradicting: [Int] {
        guard let since = divergence.resultsDifferSince,
            now.uptime - since >= 2 * configuration.heartbeatInterval
        else { return [] }
        return reachable.filter { peers[$0].differingMarket != nil && !peers[$0].differs && peers[$0].isLevel }
    }

    /// The same commands, and other results: somebody's tables were changed by something else than commands. Whose, the
    /// log tells: everybody computes his results from it anew, and whose tables are wrong takes another's.
    private mutating func judgeResults() {
        guard !divergence.isRebuilding, !divergence.isChecking, divergence.damage == nil, !contradicting.isEmpty
        else { return }
        if let soundAt = divergence.soundAt, now.uptime - soundAt < configuration.checkAgainAfter { return }
        divergence.isChecking = true
        actions.append(.check)
    }

    /// Why this node takes no orders until it is known who is wrong: it is in the minority (of two, the one with the
    /// higher name).
    var doubt: String? {
        let others = contradicting
        guard let lowest = others.first else { return nil }
        let mine = [me] + reachable.filter { peers[$0].agreesOnResults && peers[$0].differingMarket == nil }
        guard others.count > mine.count || (others.count == mine.count && lowest < mine.min() ?? me) else { return nil }
        let sound = divergence.isChecking ? "it checks its tables" : "though its tables follow from its log"
        return "its results differ from those of \(names(others)), \(sound)"
    }

    /// The tables were compared with the log.
    mutating func checked(_ found: String?) {
        divergence.isChecking = false
        guard let found else {
            divergence.soundAt = now.uptime
            return
        }
        report(.diverged, nil, "the tables do not follow from the log: \(found)")
        divergence.damage = found
        loseLevel("its tables are damaged")
        repair()
    }

    // MARK: Rebuilding

    private mutating func repair() {
        guard let damage = divergence.damage, !divergence.isRebuilding else { return }
        guard let source = reachable.first(where: { peers[$0].isLevel }) else { return }
        rebuild(from: source, "the tables are damaged: \(damage)")
    }

    mutating func rebuild(from source: Int, _ reason: String) {
        divergence.isRebuilding = true
        divergence.inquiry = nil
        divergence.reason = reason
        let mayPromise = mayPromise
        loseLevel(reason)
        report(.rebuilding, source, "rebuilding from \(members[source]): \(reason)")
        divergence.source = source
        // Nothing is written while it copies, and what it promises meanwhile has to be found after a restart.
        if mayPromise { extendBound(by: copyTime) }
    }

    /// How long copying may take, generously.
    private var copyTime: Int64 {
        let commands = logs.reduce(0) { $0 + max($1.heardOf, $1.known.highest) }
        let ahead = configuration.copyBoundAhead + commands * configuration.copyBoundPerCommand
        // A member may have told of any number.
        return min(ahead, configuration.copyBoundMax)
    }

    /// Writes what is to be written; then asks for the copy, if there is to be one.
    mutating func flush() {
        guard !divergence.isCopying else { return }
        while let write = writer.flush() { actions.append(write) }
        guard let source = divergence.source, writer.isIdle else { return }
        divergence.source = nil
        divergence.isCopying = true
        actions.append(.rebuild(from: members[source]))
    }

    mutating func rebuilt(_ state: StoredState) {
        endRebuild()
        divergence.damage = nil
        divergence.minority = nil
        divergence.resultsDifferSince = nil
        divergence.soundAt = nil
        writer.forgetGathered()
        reads = Reads()
        heartbeats.markets = MarketTurns()
        load(state, promised: heartbeats.watermark)
        relays = Relays()
        pulls = Array(repeating: Pulling(), count: members.count)
        for peer in peers.indices {
            peers[peer].agreed = Timestamp(.min)
            peers[peer].nextPoint = nil
            peers[peer].differs = false
            peers[peer].differingMarket = nil
            peers[peer].agreesOnResults = false
            peers[peer].isComparedWhole = false
            peers[peer].refused = []
            peers[peer].answeredThrough = Array(repeating: 0, count: members.count)
            hold(by: peer)
        }
        loseLevel("it was rebuilt")
    }

    mutating func notRebuilt(_ reason: String) {
        endRebuild()
        report(.behind, nil, "not rebuilt: \(reason)")
        level.copyAgainAt = now.uptime + configuration.copyPause
        loseLevel("it has to be rebuilt")
    }

    private mutating func endRebuild() {
        divergence.isRebuilding = false
        divergence.isCopying = false
        numbering.takeBackBound()
        divergence.lastInquiryAt = now.uptime - 3 * configuration.heartbeatInterval
        gate.isKnown = false
    }
}
