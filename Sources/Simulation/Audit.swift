import OrderBook
import Replication

/// What must hold in the end, kept by somebody who sees all nodes.
struct Audit: Sendable {
    /// By id, the nodes that acknowledged it.
    private(set) var entered: [OrderID: [Int]] = [:]
    /// In the order in which they entered.
    private(set) var ids: [OrderID] = []
    var troubles: [PlannedTrouble] = []
    var misbehaviour: String?
    private(set) var healedAt: Int64 = 0
    /// Pairs of nodes that had executed different commands when all was well again.
    private(set) var diverged: [(a: Int, b: Int, through: Timestamp)] = []
    /// By pair, the heartbeats of the second that the first has had since all was well again.
    private var heard: [Pair: Int] = [:]
    /// Nodes that found that they differ from another, or were found to.
    private(set) var found: Set<Int> = []
    /// Commands that entered after all was well again must be executed.
    var isLastRound = false

    /// - Returns: false if the node knows it.
    mutating func enter(_ id: OrderID, at node: Int) -> Bool {
        guard let nodes = entered[id] else {
            entered[id] = [node]
            ids.append(id)
            return true
        }
        guard !nodes.contains(node) else { return false }
        entered[id] = nodes + [node]
        return true
    }

    /// A node has had a heartbeat that was sent since all was well again. After two of them, once both have closed as far as
    /// either had then, a divergence must have been found by one of the two.
    /// - Parameter through: how far both have closed.
    mutating func hear(_ peer: Int, at node: Int, both through: Timestamp) throws(Fault) {
        let (a, b) = (min(node, peer), max(node, peer))
        guard let divergence = diverged.first(where: { $0.a == a && $0.b == b }), through >= divergence.through else {
            return
        }
        heard[Pair(node: node, peer: peer), default: 0] += 1
        let counts = (heard[Pair(node: a, peer: b)] ?? 0, heard[Pair(node: b, peer: a)] ?? 0)
        guard min(counts.0, counts.1) == Self.heartbeatsMax, !found.contains(a), !found.contains(b) else { return }
        throw Fault("n\(a) and n\(b) had diverged, and two heartbeats later neither has noticed")
    }

    private struct Pair: Hashable {
        var node: Int
        var peer: Int
    }

    private static let heartbeatsMax = 2

    mutating func noteDivergence(_ node: Int, _ peer: Int?) {
        found.insert(node)
        if let peer { found.insert(peer) }
    }

    mutating func heal(at time: Int64, _ nodes: [Node]) {
        healedAt = time
        for a in nodes.indices {
            for b in nodes.indices where a < b && Self.differ(nodes[a].disk, nodes[b].disk) {
                let through = max(nodes[a].disk.closed.through, nodes[b].disk.closed.through)
                diverged.append((a: a, b: b, through: through))
            }
        }
    }

    /// Whether what both have closed differs.
    private static func differ(_ a: Disk, _ b: Disk) -> Bool {
        let through = min(a.closed.through, b.closed.through)
        let countA = a.history.count { $0.stamp <= through }
        let countB = b.history.count { $0.stamp <= through }
        guard countA == countB else { return true }
        return zip(a.history, b.history).prefix(countA).contains { $0.command.id != $1.command.id }
    }
}

extension Cluster {
    /// Time that a cluster is given to come together again.
    private static let patience: Int64 = 120_000_000

    mutating func isFinished() throws(Fault) -> Bool {
        guard isSettled else {
            guard now < audit.healedAt + Self.patience else { throw Fault("not settled: \(unsettled)") }
            agenda.add(.check, at: now + max(scenario.window / 2, 50_000))
            return false
        }
        guard !audit.isLastRound else { return true }
        audit.isLastRound = true
        for node in nodes.indices {
            agenda.add(.enter(workload.next(&chance), at: node), at: now + chance.below(scenario.window))
        }
        agenda.add(.check, at: now + 2 * scenario.window)
        return false
    }

    private var isSettled: Bool {
        let first = nodes[0].disk
        for node in nodes {
            guard node.disk.admits, node.disk.entered.isEmpty, !node.isRebuilding, !node.matcher.isTampered,
                node.disk.history.count == first.history.count, node.matcher.executed == node.disk.history.count
            else { return false }
        }
        return nodes.allSatisfy { node in
            node.disk.closed.digest == first.closed.digest
                && node.disk.logs.indices.allSatisfy { origin in
                    node.disk.logs[origin].count == first.logs[origin].count
                        && node.disk.logs[origin].allSatisfy {
                            $0 != nil && ($0?.isClosed == true || $0?.verdict != .accepted)
                        }
                }
        }
    }

    /// One line on what is missing.
    private var unsettled: String {
        nodes.indices.map { index in
            let disk = nodes[index].disk
            let status = nodes[index].machine?.status
            let reason = status?.because.map { ", \($0)" } ?? ""
            let logs = disk.logs.map { log in "\(log.count { $0 != nil })/\(log.count)" }.joined(separator: " ")
            return "\(names[index]): admits \(disk.admits)\(reason), entered \(disk.entered.count), "
                + "history \(disk.history.count), logs \(logs)"
        }.joined(separator: "; ")
    }

    mutating func checkEnd() throws(Fault) {
        if let text = audit.misbehaviour { throw Fault(text) }
        try checkSame()
        try checkEach()
        if scenario.regime == .mild { try checkMild() }
        try checkFound()
    }

    /// All nodes executed the same commands in the same order with the same results.
    private func checkSame() throws(Fault) {
        let first = nodes[0]
        for (index, node) in nodes.enumerated() {
            guard node.disk.history == first.disk.history else {
                throw Fault("\(names[index]) executed other commands")
            }
            guard node.matcher.digests == first.matcher.digests else {
                throw Fault("\(names[index]) has other digests")
            }
            for origin in names.indices {
                for (mine, theirs) in zip(node.disk.logs[origin], first.disk.logs[origin]) {
                    guard let mine, let theirs, mine.item == theirs.item,
                        (mine.verdict == .accepted) == (theirs.verdict == .accepted)
                    else { throw Fault("\(names[index]) and \(names[0]) differ in the log of \(names[origin])") }
                }
            }
        }
        let times = first.disk.history.map(\.stamp)
        guard zip(times, times.dropFirst()).allSatisfy({ $0 <= $1 }) else {
            throw Fault("the order is not that of time")
        }
    }

    /// Each acknowledged command is once in the log of the node that it entered at, and executed at most once.
    private mutating func checkEach() throws(Fault) {
        let disk = nodes[0].disk
        var seen: [OrderID: [Int]] = [:]
        for origin in names.indices {
            for stored in disk.logs[origin] {
                guard let stored else { continue }
                seen[stored.item.command.id, default: []].append(origin)
                switch stored.verdict {
                case .accepted: result.executed += 1
                case .late: result.late += 1
                case .unconfirmed: result.unconfirmed += 1
                case .duplicate: result.duplicates += 1
                }
            }
        }
        for id in audit.ids {
            let expected = (audit.entered[id] ?? []).sorted()
            guard (seen[id] ?? []).sorted() == expected else {
                throw Fault("\(id) entered at \(expected), and is in the logs of \(seen[id] ?? [])")
            }
        }
        guard seen.count == audit.ids.count else { throw Fault("the logs hold commands that nobody entered") }
        guard Set(disk.history.map(\.command.id)).count == disk.history.count else {
            throw Fault("a command was executed twice")
        }
    }

    /// Without more than one fault at a time nothing may diverge, and nothing may be late but where its node failed.
    private func checkMild() throws(Fault) {
        guard result.divergences == 0, result.rebuilds == 0 else {
            throw Fault("\(result.divergences) divergences, though delays are bounded")
        }
        for origin in names.indices {
            for stored in nodes[0].disk.logs[origin] {
                guard let stored, stored.verdict == .late, !hadTrouble(origin, at: stored.item.stamp) else { continue }
                throw Fault("command \(stored.item.number) of \(names[origin]) was late without a fault")
            }
        }
    }

    private func hadTrouble(_ node: Int, at stamp: Timestamp) -> Bool {
        let time = stamp.rawValue - Self.epoch
        return audit.troubles.contains { trouble in
            let isConcerned = trouble.node == node || trouble.other == node
            return isConcerned && trouble.at - 2 * scenario.window <= time
                && time <= trouble.at + trouble.duration + 3 * scenario.window
        }
    }

    /// Every divergence was found, by one of the two (and if one was copied anew because of a third, that is enough).
    private func checkFound() throws(Fault) {
        for (a, b, _) in audit.diverged where !audit.found.contains(a) && !audit.found.contains(b) {
            throw Fault("\(names[a]) and \(names[b]) had diverged, and neither noticed")
        }
    }
}
