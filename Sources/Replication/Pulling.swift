import OrderBook

/// The pull of what is missing of one origin's log. One at a time.
struct Pulling: Sendable {
    struct Asked: Sendable {
        var peer: Int
        var through: Int64
        var at: Int64
    }

    private(set) var asked: Asked?
    /// Bit by bit, peers that were asked in vain since.
    private var inVain: UInt64 = 0
    private var inVainSince: Int64 = 0
    /// When the gap was seen first.
    private var gapSince: Int64?

    /// Whether to ask now. A gap may close by itself in a moment.
    mutating func isDue(now: Int64, grace: Int64, timeout: Int64) -> Bool {
        if let asked {
            guard now - asked.at > timeout else { return false }
            fail(asked.peer, now: now)
        }
        if inVain != 0, now - inVainSince > timeout { inVain = 0 }
        let since = gapSince ?? now
        gapSince = since
        return now - since >= grace
    }

    func mayAsk(_ peer: Int) -> Bool { inVain & 1 << UInt64(peer) == 0 }

    mutating func ask(_ peer: Int, through: Int64, now: Int64) { asked = Asked(peer: peer, through: through, at: now) }

    mutating func answered(by peer: Int, isWhole: Bool, now: Int64) {
        guard let asked, asked.peer == peer else { return }
        self.asked = nil
        if isWhole { inVain = 0 } else { fail(peer, now: now) }
    }

    mutating func lose(_ peer: Int) { if asked?.peer == peer { asked = nil } }

    mutating func noGap() {
        asked = nil
        gapSince = nil
        inVain = 0
    }

    private mutating func fail(_ peer: Int, now: Int64) {
        asked = nil
        if inVain == 0 { inVainSince = now }
        inVain |= 1 << UInt64(peer)
    }
}

/// Reads from this node's log under way for peers, at most one each.
struct Reads: Sendable {
    private var lastNumber: Int64 = 0
    private var open: [(number: ReadNumber, peer: Int, ranges: [LogRange])] = []

    mutating func begin(for peer: Int, _ ranges: [LogRange]) -> ReadNumber? {
        guard !open.contains(where: { $0.peer == peer && $0.ranges == ranges }) else { return nil }
        lastNumber += 1
        let number = ReadNumber(rawValue: lastNumber)
        // A peer that asks again has lost its connection, or its patience: the older answers are of no use to it.
        open.removeAll { $0.peer == peer && $0.ranges.first?.origin == ranges.first?.origin }
        open.append((number, peer, ranges))
        return number
    }

    mutating func finish(_ number: ReadNumber) -> (peer: Int, ranges: [LogRange])? {
        guard let index = open.firstIndex(where: { $0.number == number }) else { return nil }
        let (_, peer, ranges) = open.remove(at: index)
        return (peer, ranges)
    }
}

extension Replicator {
    /// Asks for what is missing, of each origin.
    mutating func pull() {
        guard !divergence.isRebuilding else { return }
        for origin in logs.indices where origin != me || !level.isLevel {
            guard logs[origin].known.contiguous < logs[origin].heardOf else {
                pulls[origin].noGap()
                continue
            }
            guard mayPull(origin), isPullDue(origin) else { continue }
            pull(origin)
        }
    }

    private mutating func isPullDue(_ origin: Int) -> Bool {
        let grace = level.isLevel ? configuration.relayDelay : 0
        return pulls[origin].isDue(now: now.uptime, grace: grace, timeout: configuration.pullTimeout)
    }

    /// Where much waits already, only what holds the rest up is pulled: the log that is furthest behind, of those that
    /// somebody has more of.
    private func mayPull(_ origin: Int) -> Bool {
        guard pools.count >= configuration.waitingMax / 2 else { return true }
        let behind = logs.indices.filter { logs[$0].known.contiguous < logs[$0].heardOf && request(of: $0) != nil }
        let stamp = { (origin: Int) in logs[origin].contiguousStamp ?? Timestamp(.min) }
        return behind.allSatisfy { stamp(origin) <= stamp($0) }
    }

    private mutating func pull(_ origin: Int) {
        guard let (peer, gaps) = request(of: origin), let last = gaps.last else { return }
        pulls[origin].ask(peer, through: last.upperBound, now: now.uptime)
        send(.pull(Pull(ranges: gaps.map { LogRange(origin: members[origin], numbers: $0) })), to: peer)
    }

    /// Whom to ask for what: the origin itself, else somebody who has the first missing number, else somebody who may.
    private func request(of origin: Int) -> (peer: Int, gaps: [ClosedRange<Int64>])? {
        let first = logs[origin].known.contiguous + 1
        let others = reachable.filter { $0 != origin }
        let holders = others.filter { peers[$0].positions[origin].contiguous >= first }
        for peer in reachable.filter({ $0 == origin }) + holders + others where pulls[origin].mayAsk(peer) {
            let gaps = gaps(of: origin, at: peer)
            if !gaps.isEmpty { return (peer, gaps) }
        }
        return nil
    }

    /// What a peer may have of what is missing here; without what it said that it does not have.
    private func gaps(of origin: Int, at peer: Int) -> [ClosedRange<Int64>] {
        let position = peers[peer].positions[origin]
        var first = logs[origin].known.contiguous + 1
        if position.has(first) != true { first = max(first, peers[peer].answeredThrough[origin] + 1) }
        let last = peer == origin ? logs[origin].heardOf : min(logs[origin].heardOf, position.highest)
        return logs[origin].known.missing(
            from: first, upTo: last, limit: configuration.rangesPerPullMax,
            countMax: Int64(configuration.itemsPerReadMax))
    }

    /// What was pulled has been taken in.
    mutating func pulled(_ items: Items, from peer: Int) {
        for range in items.answered {
            guard let origin = index(of: range.origin) else { continue }
            peers[peer].answeredThrough[origin] = max(peers[peer].answeredThrough[origin], range.numbers.upperBound)
            let isWhole = logs[origin].known.contiguous >= range.numbers.lowerBound
            pulls[origin].answered(by: peer, isWhole: isWhole, now: now.uptime)
        }
    }

    // MARK: Answering

    mutating func answer(_ pull: Pull, from peer: Int) {
        guard !pull.ranges.isEmpty, pull.ranges.count <= configuration.rangesPerPullMax else {
            return hangUp(peer, .malformed, "a pull of \(pull.ranges.count) ranges")
        }
        guard !divergence.isRebuilding, let number = reads.begin(for: peer, pull.ranges) else { return }
        actions.append(.read(number, pull.ranges))
    }

    mutating func found(_ number: ReadNumber, _ items: [JudgedItem], isComplete: Bool) {
        guard let (peer, ranges) = reads.finish(number), peers[peer].isReachable else { return }
        let covered = isComplete ? ranges : ranges.cut(behind: items.last)
        let open = items.compactMap(disclose)
        let chunks = open.chunks(of: configuration.itemsPerMessageMax)
        for (index, chunk) in chunks.enumerated() {
            let answered = index == chunks.count - 1 ? covered : []
            send(.items(Items(reason: .pulled, items: Array(chunk), answered: answered)), to: peer)
        }
        if chunks.isEmpty { send(.items(Items(reason: .pulled, items: [], answered: covered)), to: peer) }
    }

    /// What a peer may know of an item of the log: nothing of an own one whose fate is open.
    private func disclose(_ judged: JudgedItem) -> JudgedItem? {
        guard judged.verdict == .accepted, index(ofOrigin: judged.item.command.origin) == me else { return judged }
        if holding.isWithheld(judged.item.number) { return nil }
        return holding.refused.contains(judged.item.number) ? JudgedItem(judged.item, .late) : judged
    }
}

extension [LogRange] {
    /// What is answered in full when an answer stops behind an item.
    func cut(behind last: JudgedItem?) -> [LogRange] {
        guard let last else { return [] }
        let index = firstIndex {
            $0.numbers.contains(last.item.number)
                && $0.origin.rawValue.utf8.elementsEqual(last.item.command.origin.utf8)
        }
        guard let index else { return [] }
        var covered = Array(self[...index])
        covered[index].numbers = covered[index].numbers.lowerBound...last.item.number
        return covered
    }
}
