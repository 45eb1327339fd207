import OrderBook

/// When the next heartbeat is due, and what markets it tells of.
struct Heartbeats: Sendable {
    var lastNumber: Int64 = 0
    private var nextAt: Int64 = 0
    /// A regular one goes out in this turn, and with it what changes with time alone is written. Only a tick begins one:
    /// whatever else happens in between, however much, puts off neither.
    private(set) var isRegular = false
    /// Something should be known at once.
    var isDue = false
    var markets = MarketTurns()
    /// The last watermark announced.
    var watermark = Timestamp(.min)

    mutating func tick(_ now: Instant, interval: Int64) {
        guard now.uptime >= nextAt else { return }
        nextAt = now.uptime + interval
        isRegular = true
    }

    /// - Returns: whether one goes out now, and whether it is a regular one.
    mutating func take() -> (isDue: Bool, isRegular: Bool) {
        defer {
            isDue = false
            isRegular = false
        }
        return (isDue || isRegular, isRegular)
    }
}

/// Which markets a heartbeat tells of: those that went on, then others in turn.
struct MarketTurns: Sendable {
    static let othersMax = 4
    /// By the bytes of their names.
    private var all: [(position: MarketPosition, isNew: Bool)] = []
    private var turn = 0

    mutating func note(_ positions: [MarketPosition]) {
        for position in positions {
            let index = all.firstIndex { !$0.position.market.utf8.lexicographicallyPrecedes(position.market.utf8) }
            if let index, all[index].position.market == position.market {
                all[index] = (position, true)
            } else {
                all.insert((position, true), at: index ?? all.count)
            }
        }
    }

    mutating func next(max: Int) -> [MarketPosition] {
        var chosen: [MarketPosition] = []
        for index in all.indices where all[index].isNew && chosen.count < max {
            chosen.append(all[index].position)
            all[index].isNew = false
        }
        for _ in 0..<min(Self.othersMax, all.count) where chosen.count < max {
            turn = (turn + 1) % all.count
            if !chosen.contains(all[turn].position) { chosen.append(all[turn].position) }
        }
        return chosen
    }
}

extension Replicator {
    /// Sends heartbeats where they are due.
    mutating func announce() {
        let (isDue, isRegular) = heartbeats.take()
        guard isDue else { return }
        let targets = reachable
        guard !targets.isEmpty else { return }
        raiseWatermark()
        heartbeats.lastNumber += 1
        var heartbeat = Heartbeat(
            number: heartbeats.lastNumber, watermark: heartbeats.watermark, lastNumber: promisedNumber,
            chain: chain.closed, positions: positions,
            markets: isRegular ? heartbeats.markets.next(max: configuration.marketsPerHeartbeatMax) : [],
            isLevel: level.isLevel, sentAt: now.wall, echo: nil)
        for peer in targets {
            heartbeat.echo = peers[peer].echo
            send(.heartbeat(heartbeat), to: peer)
        }
    }

    private var promisedNumber: Int64 { logs[me].durable.contiguous }

    /// What others may pull. Own commands whose fate is open are not spoken of (see `Holding`).
    private var positions: [LogPosition] {
        members.indices.map { origin in
            var contiguous = logs[origin].durable.contiguous
            // What is on its way to the database is told of others' commands: they will be here, and may be executed with.
            // Of its own, a fall could still give their numbers to other commands.
            var highest = origin == me ? contiguous : max(logs[origin].known.highest, contiguous)
            if origin == me, let withheld = holding.firstWithheld {
                contiguous = min(contiguous, withheld - 1)
                highest = contiguous
            }
            let beyond = origin == me ? [] : logs[origin].durable.beyond(max: configuration.rangesPerPositionMax)
            return LogPosition(
                origin: members[origin], contiguous: contiguous, beyond: beyond, highest: highest,
                coming: origin == me ? nil : writer.coming(of: origin))
        }
    }

    mutating func receive(_ heartbeat: Heartbeat, from peer: Int) {
        guard heartbeat.positions.count <= CodecLimits.membersMax,
            heartbeat.positions.allSatisfy({ $0.beyond.count <= configuration.rangesPerPositionMax }),
            heartbeat.markets.count <= configuration.marketsPerHeartbeatMax
        else { return hangUp(peer, .malformed, "a heartbeat with \(heartbeat.positions.count) positions") }
        clock.measure(peer, heartbeat: heartbeat, now: now.wall)
        peers[peer].echo = Heartbeat.Echo(
            number: heartbeat.number, sentAt: heartbeat.sentAt, receivedAt: now.wall)
        peers[peer].echoedNumber = heartbeat.echo?.number ?? 0
        peers[peer].isLevel = heartbeat.isLevel
        learn(heartbeat.positions, from: peer)
        peers[peer].promise(through: heartbeat.watermark, lastNumber: heartbeat.lastNumber)
        logs[peer].heardOf = max(logs[peer].heardOf, heartbeat.lastNumber)
        peers[peer].keepPromises(contiguous: logs[peer].known.contiguous)
        peers[peer].closedThrough = heartbeat.chain.through
        takeSnapshot(of: peer)
        compare(heartbeat.chain, with: peer)
        compareMarkets(heartbeat.markets, with: peer)
    }

    private mutating func compareMarkets(_ markets: [MarketPosition], with peer: Int) {
        guard !markets.isEmpty, !divergence.isRebuilding else { return }
        guard !peers[peer].isComparedWhole || markets != peers[peer].marketsCompared else { return }
        peers[peer].marketsCompared = markets
        actions.append(.compare(with: members[peer], markets))
    }

    private mutating func learn(_ positions: [LogPosition], from peer: Int) {
        for position in positions {
            guard let origin = index(of: position.origin) else { continue }
            peers[peer].positions[origin] = Peer.Position(
                contiguous: position.contiguous, beyond: position.beyond,
                isCut: position.beyond.count >= configuration.rangesPerPositionMax,
                highest: max(position.highest, position.contiguous), coming: position.coming)
            if origin != me || !level.isLevel {
                logs[origin].heardOf = max(logs[origin].heardOf, position.highest, position.contiguous)
            }
        }
        hold(by: peer)
    }

    mutating func judgeClock() {
        guard let isOff = clock.judge(limit: configuration.clockDifferenceMax * 4 / 5) else { return }
        let offsets = peers.indices.compactMap { peer in
            clock.offset(peer).map { "\(members[peer]) \($0 / 1_000) ms" }
        }
        let text = "the peers' clocks are ahead by: \(offsets.joined(separator: ", "))"
        report(isOff ? .clockOff : .clockRight, nil, text)
    }
}
