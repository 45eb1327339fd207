import OrderBook

/// This node's own commands that no other is known to have stored.
///
/// If this node fell now, the others would never hear of them, and would close their pools without. So their pools are
/// not closed here either. When the window has passed and still nobody has one, it is refused: then all refuse it.
struct Holding: Sendable {
    struct Item: Hashable, Sendable {
        var number: Int64
        var stamp: Timestamp
    }

    /// Rising.
    private(set) var items: [Item]
    /// Own numbers from the first unheld up to here are not given to anybody: they are too old to be pushed, for one might
    /// take them in time and another not.
    private var withheldThrough: Int64
    /// Refused since the start. What is read from the log meanwhile may still show them as accepted.
    var refused = Intervals()
    /// When all have answered to this heartbeat and have none of them, those up to the stamp are refused.
    var question: (heartbeat: Int64, through: Timestamp)?

    init(_ items: [Item] = []) {
        self.items = items
        withheldThrough = items.last?.number ?? 0
    }

    /// The earliest stamp that nobody else holds.
    var earliest: Timestamp? { items.first?.stamp }

    /// The first number that is kept back.
    var firstWithheld: Int64? {
        guard let first = items.first, first.number <= withheldThrough else { return nil }
        return first.number
    }

    func isWithheld(_ number: Int64) -> Bool {
        guard let first = firstWithheld else { return false }
        return number >= first
    }

    mutating func add(_ item: Item) { items.append(item) }

    mutating func withhold(through number: Int64) { withheldThrough = max(withheldThrough, number) }

    mutating func remove(where isHeld: (Item) -> Bool) {
        items.removeAll(where: isHeld)
        if items.isEmpty { question = nil }
    }
}

extension Replicator {
    /// Takes note of which own commands a peer has stored.
    mutating func hold(by peer: Int) {
        guard !holding.items.isEmpty else { return }
        let position = peers[peer].positions[me]
        let refused = peers[peer].refused
        let wasWithheld = holding.firstWithheld != nil
        holding.remove { position.has($0.number) == true && !refused.contains($0.number) }
        if wasWithheld, holding.firstWithheld == nil { heartbeats.isDue = true }
    }

    /// A peer says which of this node's commands came too late there.
    mutating func lateThere(_ ranges: [LogRange], at peer: Int) {
        for range in ranges where range.origin == configuration.name {
            guard range.numbers.count <= configuration.waitingMax else { continue }
            peers[peer].lateThere += range.numbers.count
            for item in holding.items where range.numbers.contains(item.number) {
                peers[peer].refused.append(item.number)
            }
            let stamps = "\(range.numbers.lowerBound) to \(range.numbers.upperBound)"
            report(.late, peer, "this node's commands \(stamps) came too late at \(members[peer])")
        }
    }

    /// Refuses what nobody else has when it can come to nobody in time any more.
    mutating func resolveUnheld() {
        guard let first = holding.items.first, !divergence.isRebuilding else { return }
        withholdOld()
        let overdue = Timestamp(now.wall.rawValue - configuration.window)
        guard let question = holding.question else {
            guard first.stamp < overdue else { return }
            holding.question = (heartbeats.lastNumber + 1, overdue)
            heartbeats.isDue = true
            return
        }
        let asked = reachable
        guard !asked.isEmpty, asked.allSatisfy({ peers[$0].echoedNumber >= question.heartbeat }) else { return }
        refuseUnheld(through: question.through)
        holding.question = nil
    }

    /// Whether it is stored here, and all who can be asked have said that they do not have it, or that it came too late.
    private func isLacking(_ number: Int64) -> Bool {
        logs[me].durable.contains(number)
            && reachable.allSatisfy {
                peers[$0].positions[me].has(number) == false || peers[$0].refused.contains(number)
            }
    }

    private mutating func withholdOld() {
        let oldest = now.wall.rawValue - configuration.window / 2
        guard let last = holding.items.last(where: { $0.stamp.rawValue < oldest }) else { return }
        holding.withhold(through: last.number)
    }

    private mutating func refuseUnheld(through: Timestamp) {
        let numbers = holding.items.filter { $0.stamp <= through && isLacking($0.number) }.map(\.number)
        guard !numbers.isEmpty else { return }
        for number in numbers {
            pools.remove(number, of: me)
            holding.refused.insert(number)
        }
        holding.remove { numbers.contains($0.number) }
        for range in numbers.asRanges(of: configuration.name) { writer.add(.refuse([range], .late)) }
        counters.late += numbers.count
        heartbeats.isDue = true
        report(.late, nil, "\(numbers.count) commands of this node reached nobody within the window")
    }
}
