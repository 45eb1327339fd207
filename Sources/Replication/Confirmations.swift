import OrderBook

/// Commands that are shown to others before they get a stamp, and others' commands that are kept for them.
struct Proposals: Sendable {
    private struct Open: Sendable {
        var since: Int64
        /// Bit by bit, who stored it.
        var confirmedBy: UInt64 = 0
    }

    /// Own.
    private var open: [OrderID: Open] = [:]
    /// By member: theirs that are stored here; false while they are not durable.
    private var stored: [[OrderID: Bool]]

    init(memberCount: Int) { stored = Array(repeating: [:], count: memberCount) }

    mutating func load(_ proposals: [(member: Int?, list: [Proposal])]) {
        open = [:]
        stored = Array(repeating: [:], count: stored.count)
        for (member, list) in proposals {
            guard let member else { continue }
            for proposal in list { stored[member][proposal.command.id] = true }
        }
    }

    // MARK: Own

    /// - Returns: false if it was proposed before.
    mutating func begin(_ id: OrderID, now: Int64) -> Bool {
        guard open[id] == nil else { return false }
        open[id] = Open(since: now)
        return true
    }

    mutating func confirm(_ id: OrderID, by peer: Int) { open[id]?.confirmedBy |= 1 << UInt64(peer) }

    /// Whether enough have stored it; nil while that is open.
    func isConfirmed(_ id: OrderID, count: Int, now: Int64, timeout: Int64) -> Bool? {
        guard let proposal = open[id] else { return nil }
        if proposal.confirmedBy.nonzeroBitCount >= count { return true }
        return now - proposal.since >= timeout ? false : nil
    }

    mutating func settle(_ id: OrderID) { open[id] = nil }

    // MARK: Others'

    /// Nil if it is not stored.
    func isDurable(_ id: OrderID, from member: Int) -> Bool? { stored[member][id] }

    func count(from member: Int) -> Int { stored[member].count }

    mutating func keep(_ id: OrderID, from member: Int, isDurable: Bool) { stored[member][id] = isDurable }

    mutating func remove(_ id: OrderID, from member: Int) -> Bool {
        !stored[member].isEmpty && stored[member].removeValue(forKey: id) != nil
    }
}

extension Replicator {
    /// How many confirmations a command needs before its stamp.
    private var confirmationsNeeded: Int {
        flaws.contains(.confirmedAfterStamping) ? 0 : configuration.confirmations
    }

    /// Whether the next entered command is to be numbered, and how; nil if it has to wait. They go in order: a cancel
    /// must not overtake what it cancels.
    func nextVerdict() -> Bool? {
        guard let next = numbering.waiting.first else { return nil }
        guard confirmationsNeeded > 0 else { return false }
        return proposals.isConfirmed(
            next.id, count: confirmationsNeeded, now: now.uptime, timeout: configuration.confirmationTimeout
        ).map { !$0 }
    }

    /// Shows the others what entered.
    mutating func proposeNew() {
        guard confirmationsNeeded > 0, level.isLevel, !divergence.isRebuilding else { return }
        let new = numbering.waiting.filter { proposals.begin($0.id, now: now.uptime) }
        for peer in reachable { propose(new, to: peer) }
    }

    mutating func repropose(to peer: Int) {
        guard confirmationsNeeded > 0, level.isLevel else { return }
        propose(Array(numbering.waiting), to: peer)
    }

    private mutating func propose(_ commands: [Command], to peer: Int) {
        for chunk in commands.chunks(of: configuration.itemsPerMessageMax) {
            send(.propose(chunk.map { Proposal(command: $0) }), to: peer)
        }
    }

    mutating func expireProposals() {
        if confirmationsNeeded > 0, numbering.count > 0 { proposeNew() }
        guard flaws.contains(.confirmedAfterStamping), configuration.confirmations > 0 else { return }
        for entry in pools.waiting(of: me) {
            let age = now.wall.rawValue - entry.command.time.rawValue
            let held = peers.count { $0.positions[me].contiguous >= entry.number }
            guard age >= configuration.confirmationTimeout, held < configuration.confirmations else { continue }
            pools.remove(entry.number, of: me)
            holding.remove { $0.number == entry.number }
            let range = LogRange(origin: configuration.name, numbers: entry.number...entry.number)
            writer.add(.refuse([range], .unconfirmed))
        }
    }

    mutating func confirmed(_ ids: [OrderID], by peer: Int) {
        guard ids.count <= configuration.itemsPerMessageMax else {
            return hangUp(peer, .malformed, "\(ids.count) confirmations in one message")
        }
        for id in ids { proposals.confirm(id, by: peer) }
    }

    // MARK: Others'

    mutating func receive(_ list: [Proposal], from peer: Int) {
        guard list.count <= configuration.itemsPerMessageMax else {
            return hangUp(peer, .malformed, "\(list.count) proposals in one message")
        }
        guard !divergence.isRebuilding else { return }
        let known = list.map(\.command.id).filter { proposals.isDurable($0, from: peer) == true }
        if !known.isEmpty { send(.confirm(known), to: peer) }
        let room = configuration.proposalsMax - proposals.count(from: peer)
        let new = list.filter { proposals.isDurable($0.command.id, from: peer) == nil }.prefix(max(0, room))
        guard !new.isEmpty else { return }
        for proposal in new { proposals.keep(proposal.command.id, from: peer, isDurable: false) }
        writer.propose(Array(new), from: peer, name: members[peer])
    }

    mutating func proposalsStored(_ ids: [OrderID], from peer: Int) {
        let kept = ids.filter { proposals.isDurable($0, from: peer) != nil }
        guard !kept.isEmpty else { return }
        for id in kept { proposals.keep(id, from: peer, isDurable: true) }
        if peers[peer].isReachable { send(.confirm(kept), to: peer) }
    }

    mutating func withdraw(_ ids: [OrderID], from peer: Int) {
        let kept = ids.filter { proposals.remove($0, from: peer) }
        if !kept.isEmpty { writer.add(.withdraw(kept)) }
    }
}
