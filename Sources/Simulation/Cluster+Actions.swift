import OrderBook
import Replication

extension Cluster {
    mutating func take(_ action: Action, at node: Int) throws(Fault) {
        log?("\(now) \(names[node]) ▶ \(action)")
        switch action {
        case .write(let number, let writes): write(number, writes, at: node)
        case .send(let message, let name): send(message, from: node, to: index(name))
        case .read(let number, let ranges):
            agenda.add(
                .read(node, life: nodes[node].life, number, ranges), at: now + chance.within(scenario.disk))
        case .compare(let name, let positions):
            agenda.add(
                .compare(node, life: nodes[node].life, name, positions), at: now + chance.within(scenario.disk))
        case .check:
            agenda.add(.checked(node, life: nodes[node].life), at: now + 5 * chance.within(scenario.disk))
        case .rebuild(let name):
            nodes[node].isRebuilding = true
            result.rebuilds += 1
            let at = max(now, nodes[node].busyUntil) + scenario.delay.upperBound + chance.within(scenario.disk)
            nodes[node].busyUntil = at
            agenda.add(.rebuild(node, life: nodes[node].life, from: index(name)), at: at)
        case .disconnect(let name, _): hangUp(node, index(name))
        case .report(let report): note(report, at: node)
        }
    }

    func index(_ name: NodeName) -> Int { names.firstIndex(of: name) ?? 0 }

    private mutating func note(_ report: Report, at node: Int) {
        trace.add(Int(report.kind.rawValue.utf8.first ?? 0))
        switch report.kind {
        case .diverged:
            result.divergences += 1
            audit.noteDivergence(node, report.peer.map(index))
        case .malformed, .forged, .mismatch: audit.misbehaviour = "\(names[node]): \(report.text)"
        default: break
        }
    }

    // MARK: The disk

    private mutating func write(_ number: WriteNumber, _ writes: [Write], at node: Int) {
        trace.add(writes.count)
        nodes[node].queue.append((number, writes))
        var duration = chance.within(scenario.disk)
        if now < nodes[node].slowDiskUntil { duration += nodes[node].slowDiskBy }
        nodes[node].busyUntil = max(now, nodes[node].busyUntil) + duration
        agenda.add(.written(node, life: nodes[node].life, number), at: nodes[node].busyUntil)
    }

    mutating func written(_ node: Int, _ life: Int, _ number: WriteNumber) throws(Fault) {
        guard nodes[node].life == life, let first = nodes[node].queue.first, first.number == number else { return }
        nodes[node].queue.removeFirst()
        let duplicates = try store(first.writes, at: node)
        try handle(.written(number, duplicates: duplicates), at: node)
    }

    mutating func store(_ writes: [Write], at node: Int) throws(Fault) -> [LogRange] {
        let duplicates: [LogRange]
        do { duplicates = try nodes[node].disk.apply(writes) } catch {
            throw Fault("\(names[node]): \(error.text)")
        }
        planMatch(node)
        return duplicates
    }

    mutating func rebuild(_ node: Int, _ life: Int, _ source: Int) throws(Fault) {
        guard nodes[node].life == life, nodes[node].machine != nil else { return }
        nodes[node].isRebuilding = false
        let isThere =
            nodes[source].machine != nil && nodes[source].pausedUntil == nil && !nodes[source].isRebuilding
            && directions[source][node].connection != 0
            && directions[node][source].connection == directions[source][node].connection
        guard isThere else {
            return try handle(.notRebuilt(because: "\(names[source]) is gone"), at: node)
        }
        // Who gives a copy makes sure that it is right.
        guard nodes[source].matcher.damage == nil else {
            try handle(.notRebuilt(because: "the tables of \(names[source]) are damaged"), at: node)
            return try handle(.checked(found: nodes[source].matcher.damage), at: source)
        }
        nodes[node].disk = nodes[node].disk.rebuilt(from: nodes[source].disk, me: node)
        nodes[node].matcher = nodes[source].matcher
        nodes[node].checkAt = nil
        nodes[node].untold = []
        try handle(.rebuilt(nodes[node].disk.state), at: node)
        try handle(.executed(nodes[node].matcher.positions), at: node)
        planMatch(node)
    }

    // MARK: The network

    mutating func send(_ message: Message, from node: Int, to peer: Int) {
        let connection = directions[node][peer].connection
        guard connection != 0 else { return }
        let isFirst = message.isHello
        trace.add(connection << 4 | (isFirst ? 1 : 0))
        deliver(message, from: node, to: peer, connection, isFirst: isFirst)
        guard scenario.isUnordered, !isFirst, chance.happens(percent: 5) else { return }
        result.troubles[.doubledMessage, default: 0] += 1
        deliver(message, from: node, to: peer, connection, isFirst: false)
    }

    private mutating func deliver(
        _ message: Message, from node: Int, to peer: Int, _ connection: Int, isFirst: Bool
    ) {
        let direction = directions[node][peer]
        var at = max(now, direction.blockedUntil) + chance.within(scenario.delay)
        if now < direction.slowUntil { at += chance.within(0...direction.slowBy) }
        if scenario.isUnordered, !isFirst {
            // Behind the hello, otherwise as it comes.
            at = max(at, direction.lastDelivery)
            if lossPermille > 0, chance.below(1_000) < lossPermille {
                result.troubles[.lostMessage, default: 0] += 1
                return
            }
        } else {
            at = max(at, direction.lastDelivery)
            directions[node][peer].lastDelivery = at
        }
        agenda.add(.deliver(message, from: node, to: peer, connection: connection, sentAt: now), at: at)
    }

    /// One side ends a connection; the other learns of it when all that was sent before has come.
    mutating func hangUp(_ node: Int, _ peer: Int) {
        let connection = directions[node][peer].connection
        guard connection != 0 else { return }
        tellHungUp(peer, by: node, connection)
        lose(node, peer)
    }

    mutating func tellHungUp(_ node: Int, by peer: Int, _ connection: Int) {
        let direction = directions[peer][node]
        let at = max(max(now, direction.blockedUntil) + chance.within(scenario.delay), direction.lastDelivery)
        agenda.add(.hungUp(node, by: peer, connection: connection), at: at)
    }

    /// A node's side of a connection is gone.
    mutating func lose(_ node: Int, _ peer: Int) {
        guard directions[node][peer].connection != 0 else { return }
        directions[node][peer].connection = 0
        plan(dialBetween: node, peer)
        // Not in the middle of what the node is doing.
        agenda.add(.lost(node, peer, life: nodes[node].life), at: now)
    }

    mutating func plan(dialBetween a: Int, _ b: Int) {
        let (a, b) = (min(a, b), max(a, b))
        guard !isDialling[a][b] else { return }
        isDialling[a][b] = true
        agenda.add(.dial(a, b), at: now + scenario.reconnect / 2 + chance.below(scenario.reconnect / 2))
    }

    mutating func dial(_ a: Int, _ b: Int) throws(Fault) {
        isDialling[a][b] = false
        let ours = directions[a][b].connection
        if ours != 0, ours == directions[b][a].connection { return }
        guard nodes[a].machine != nil, nodes[b].machine != nil else { return }
        let isBlocked = max(directions[a][b].blockedUntil, directions[b][a].blockedUntil) > now
        guard !isBlocked, nodes[a].pausedUntil == nil, nodes[b].pausedUntil == nil else {
            return plan(dialBetween: a, b)
        }
        lastConnection += 1
        let connection = lastConnection
        for (node, peer) in [(a, b), (b, a)] {
            if directions[node][peer].connection != 0 {
                directions[node][peer].connection = 0
                try handle(.disconnected(names[peer]), at: node)
            }
            directions[node][peer].connection = connection
            directions[node][peer].lastDelivery = now
        }
        try handle(.connected(names[b]), at: a)
        try handle(.connected(names[a]), at: b)
    }
}

extension Message {
    var isHello: Bool {
        if case .hello = self { return true }
        return false
    }
}
