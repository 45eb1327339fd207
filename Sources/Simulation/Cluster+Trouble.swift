import Replication

extension Cluster {
    mutating func begin(_ trouble: PlannedTrouble) throws(Fault) {
        guard !isHealed else { return }
        result.troubles[trouble.kind, default: 0] += 1
        log?("\(now) ✂ \(trouble)")
        audit.troubles.append(trouble)
        let end = now + trouble.duration
        switch trouble.kind {
        case .crash: try crash(trouble.node, until: end)
        case .pause:
            guard nodes[trouble.node].machine != nil else { return }
            nodes[trouble.node].pausedUntil = max(nodes[trouble.node].pausedUntil ?? 0, end)
            agenda.add(.resume(trouble.node), at: end)
        case .cut:
            block(trouble.node, trouble.other, until: end)
            block(trouble.other, trouble.node, until: end)
        case .oneWay: block(trouble.node, trouble.other, until: end)
        case .partition: split(trouble, until: end)
        case .reset: reset(trouble.node, trouble.other)
        case .slowLink:
            directions[trouble.node][trouble.other].slowUntil = end
            directions[trouble.node][trouble.other].slowBy = trouble.size
        case .slowDisk:
            nodes[trouble.node].slowDiskUntil = end
            nodes[trouble.node].slowDiskBy = trouble.size
        case .clockStep: setClock(trouble.node, offset: trouble.size, driftPPM: 0)
        case .clockDrift:
            setClock(trouble.node, offset: nodes[trouble.node].offset, driftPPM: trouble.size)
        case .tampering: nodes[trouble.node].matcher.tamper(workload.id(&chance))
        case .lostMessage, .doubledMessage: break
        }
    }

    private mutating func setClock(_ node: Int, offset: Int64, driftPPM: Int64) {
        nodes[node].offset = offset
        nodes[node].driftPPM = driftPPM
        nodes[node].driftSince = now
    }

    private mutating func block(_ from: Int, _ to: Int, until end: Int64) {
        directions[from][to].blockedUntil = max(directions[from][to].blockedUntil, end)
    }

    /// The node alone, or with some others, on one side.
    private mutating func split(_ trouble: PlannedTrouble, until end: Int64) {
        let side = nodes.indices.map { node in
            if node == trouble.node { return true }
            return scenario.regime == .wild && node != trouble.other && chance.happens(percent: 50)
        }
        for a in nodes.indices { for b in nodes.indices where side[a] != side[b] { block(a, b, until: end) } }
    }

    private mutating func reset(_ a: Int, _ b: Int) {
        lose(a, b)
        lose(b, a)
    }

    /// Of what is on its way to the disk some is stored; of what is on its way to the others some arrives.
    private mutating func crash(_ node: Int, until end: Int64) throws(Fault) {
        guard nodes[node].machine != nil else { return }
        nodes[node].machine = nil
        nodes[node].life += 1
        nodes[node].pausedUntil = nil
        nodes[node].waiting = []
        let stored = chance.index(nodes[node].queue.count + 1)
        for (_, writes) in nodes[node].queue.prefix(stored) { _ = try store(writes, at: node) }
        nodes[node].queue = []
        nodes[node].busyUntil = now
        for peer in nodes.indices where peer != node {
            let connection = directions[node][peer].connection
            directions[node][peer].connection = 0
            guard connection != 0, directions[peer][node].connection == connection else { continue }
            if chance.happens(percent: 40) {
                tellHungUp(peer, by: node, connection)
            } else if chance.happens(percent: 50) {
                lose(peer, node)
            } else {
                // Nothing arrives any more, and nobody tells: the peer finds out by the silence.
                directions[node][peer].lastDelivery = now
                dropUnderWay(from: node, to: peer)
            }
        }
        agenda.add(.start(node), at: end)
    }

    private mutating func dropUnderWay(from node: Int, to peer: Int) {
        lastConnection += 1
        // What was sent under the old number meets a connection with another.
        directions[peer][node].connection = lastConnection
    }

    // MARK: The end of it

    mutating func heal() throws(Fault) {
        log?("\(now) ✚ healed")
        isHealed = true
        lossPermille = 0
        for a in nodes.indices {
            for b in nodes.indices {
                directions[a][b].blockedUntil = min(directions[a][b].blockedUntil, now)
                directions[a][b].slowUntil = 0
            }
            nodes[a].slowDiskUntil = 0
            setClock(a, offset: chance.within(0...scenario.skew) - scenario.skew / 2, driftPPM: 0)
            if nodes[a].pausedUntil != nil {
                nodes[a].pausedUntil = now
                try resume(a)
            }
            start(a)
        }
        audit.heal(at: now, nodes)
        agenda.add(.check, at: now + scenario.window)
    }
}
