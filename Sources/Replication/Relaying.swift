import OrderBook

/// Commands that are new here and durable, and are to be passed on once.
struct Relays: Sendable {
    struct Relay: Sendable {
        var judged: JudgedItem
        var origin: Int
        var sender: Int
        var since: Int64
    }

    private(set) var queue: [Relay] = []

    mutating func add(_ judged: JudgedItem, origin: Int, sender: Int, now: Instant) {
        queue.append(Relay(judged: judged, origin: origin, sender: sender, since: now.uptime))
    }

    /// Those that have waited long enough.
    mutating func take(before: Int64) -> ArraySlice<Relay> {
        let count = queue.firstIndex { $0.since > before } ?? queue.count
        let due = queue[..<count]
        queue.removeFirst(count)
        return due
    }
}

extension Replicator {
    /// Passes on what came, to those who have not said meanwhile that they have it: whoever entered it may have fallen in
    /// the middle of its push.
    mutating func relay() {
        guard !relays.queue.isEmpty else { return }
        let due = relays.take(before: now.uptime - configuration.relayDelay)
        guard !due.isEmpty, !flaws.contains(.noRelay) else { return }
        for peer in reachable {
            let lacking = due.filter {
                $0.origin != peer && $0.sender != peer
                    && peers[peer].positions[$0.origin].has($0.judged.item.number) != true
            }
            for chunk in lacking.map(\.judged).chunks(of: configuration.itemsPerMessageMax) {
                send(.items(Items(reason: .relayed, items: Array(chunk))), to: peer)
            }
        }
    }
}
