import OrderBook

extension Replicator {
    /// Closes the pools that nothing can join any more.
    mutating func close() {
        guard !divergence.isRebuilding, let through = closable, through > chain.closed.through else { return }
        let hasWork = pools.earliest.map { $0 <= through } ?? false
        // Time without commands is closed now and then only: each step is a write.
        guard hasWork || isIdleStepDue(through) else { return }
        close(through: through)
    }

    private func isIdleStepDue(_ through: Timestamp) -> Bool {
        guard chain.closed.through.rawValue > Int64.min / 2 else { return true }
        return heartbeats.isRegular
            && through.rawValue >= chain.closed.through.rawValue + configuration.heartbeatInterval / 2
    }

    /// Up to where pools may be closed; nil where nothing may.
    private var closable: Timestamp? {
        guard var through = level.isLevel ? closableHere : closableThere else { return nil }
        if let earliest = writer.earliest { through = min(through, Timestamp(earliest.rawValue - 1)) }
        guard isAlone else {
            if let earliest = holding.earliest { through = min(through, Timestamp(earliest.rawValue - 1)) }
            return through
        }
        // Alone it goes no further than it must: where nothing was closed, nothing is to be undone.
        guard members.count > 1 else { return through }
        return pools.latest.map { min($0, through) }
    }

    private var isAlone: Bool { !peers.contains(where: \.isConnected) }

    /// By the watermarks of all, or by the window.
    private var closableHere: Timestamp? {
        // Alone, as long as the window or longer: nobody is left to wait for.
        if isAlone, members.count > 1 { return Timestamp(now.wall.rawValue + configuration.clockDifferenceMax) }
        let early = configuration.closesEarly ? promisedByAll : nil
        guard !clock.isOff, !isSyncing else { return early }
        let byWindow = Timestamp(now.wall.rawValue - configuration.window)
        return max(early ?? byWindow, byWindow)
    }

    /// Whether something that was lost with an earlier connection may still be on its way from a peer.
    private var isSyncing: Bool {
        peers.contains { $0.isConnected && !$0.isSynced && now.uptime - $0.connectedAt < configuration.window }
    }

    /// What all members have promised to send nothing below of, and of which all is here.
    private var promisedByAll: Timestamp? {
        var through = Timestamp(now.wall.rawValue + configuration.clockDifferenceMax)
        if members.count == 1 { return pools.latest.map { min(through, $0) } }
        for peer in peers.indices where peer != me {
            var promised = peers[peer].promiseKept
            if let stamp = logs[peer].contiguousStamp { promised = max(promised, stamp) }
            through = min(through, promised)
        }
        return through
    }

    /// While this node catches up: what a peer has closed and all of which is here.
    private var closableThere: Timestamp? {
        var best: Timestamp?
        for peer in peers.indices where peers[peer].isReachable && peers[peer].isLevel {
            guard peers[peer].snapshot != nil else { continue }
            var through = peers[peer].closedThrough
            for origin in logs.indices where !covers(peers[peer].positions[origin], of: origin, by: peer) {
                through = min(through, logs[origin].contiguousStamp ?? Timestamp(.min))
            }
            best = max(best ?? through, through)
        }
        return best
    }

    private mutating func close(through: Timestamp) {
        var duplicates: [(origin: Int, number: Int64)] = []
        while let pool = pools.takePool(through: through) { execute(pool, &duplicates) }
        chain.close(through: through)
        numbering.floor = max(numbering.floor, through)
        // Alone it closes what nobody else has; that is final then.
        holding.remove { $0.stamp <= through }
        refuse(duplicates)
        writer.add(.close(chain.closed))
        compareNextPoints()
    }

    /// Puts a pool onto the chain. Of commands with one id the first is executed, the others are refused.
    private mutating func execute(
        _ pool: [(origin: Int, entry: Pools.Entry)], _ duplicates: inout [(origin: Int, number: Int64)]
    ) {
        var kept: [Command] = []
        for (origin, entry) in pool {
            if kept.contains(where: { $0.id == entry.command.id }) {
                duplicates.append((origin, entry.number))
                continue
            }
            kept.append(entry.command)
            for other in pools.others(with: entry.command.id) {
                pools.remove(other.number, of: other.origin)
                duplicates.append(other)
            }
        }
        if flaws.contains(.tieByArrival) {
            kept.sort { $0.origin == configuration.name.rawValue && $0.origin != $1.origin }
        }
        chain.append(kept.map(\.canonicalBytes), stamp: pool[0].entry.command.time)
    }

    private mutating func refuse(_ duplicates: [(origin: Int, number: Int64)]) {
        guard !duplicates.isEmpty else { return }
        for (origin, number) in duplicates {
            writer.add(.refuse([LogRange(origin: members[origin], numbers: number...number)], .duplicate))
            if origin == me { holding.remove { $0.number == number } }
            report(.duplicate, origin, "command \(number) of \(members[origin]) uses the id of an earlier one")
        }
    }

    /// Remembers up to where all agreed, not too often.
    mutating func recordAgreed() {
        var all: Timestamp?
        for peer in peers.indices where peer != me { all = min(all ?? peers[peer].agreed, peers[peer].agreed) }
        guard let all, all > agreed, !divergence.isRebuilding else { return }
        guard agreed.rawValue < Int64.min / 2 || all.rawValue >= agreed.rawValue + configuration.heartbeatInterval
        else {
            return
        }
        agreed = all
        writer.add(.agreed(all))
    }
}
