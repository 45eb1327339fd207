import OrderBook

/// What shall become durable, and what follows when it is.
///
/// The shell does one write after the other. While `inFlightMax` are under way, what comes is gathered into the next: under
/// load writes grow instead of queueing.
struct Writer: Sendable {
    static let inFlightMax = 2

    /// What follows when a write is durable.
    struct Batch: Sendable {
        var writes: [Write] = []
        /// Own commands that were numbered.
        var numbered: [JudgedItem] = []
        /// Others' commands, with the member who sent them.
        var stored: [(item: JudgedItem, origin: Int, sender: Int)] = []
        /// By origin, where their numbers lie.
        var coming: [Int: ClosedRange<Int64>] = [:]
        var proposed: [(from: Int, ids: [OrderID])] = []
        var bound: Timestamp?
        /// The earliest stamp accepted in it: nothing from there on may be closed before it is durable.
        var earliest: Timestamp?
    }

    private var next = Batch()
    private var inFlight: [(number: WriteNumber, batch: Batch)] = []
    private var lastNumber: Int64 = 0

    /// Nothing is under way or gathered.
    var isIdle: Bool { inFlight.isEmpty && next.writes.isEmpty }

    /// The earliest accepted stamp that is not durable.
    var earliest: Timestamp? {
        var earliest = next.earliest
        for (_, batch) in inFlight {
            if let stamp = batch.earliest { earliest = earliest.map { min($0, stamp) } ?? stamp }
        }
        return earliest
    }

    /// Whether own commands are on their way to the database, and the first of their stamps.
    var firstNumbered: Timestamp? {
        inFlight.first { !$0.batch.numbered.isEmpty }?.batch.numbered.first?.item.stamp
            ?? next.numbered.first?.item.stamp
    }

    /// Where the numbers of an origin's commands lie that are on their way to the database.
    func coming(of origin: Int) -> ClosedRange<Int64>? {
        var hull = next.coming[origin]
        for (_, batch) in inFlight {
            guard let range = batch.coming[origin] else { continue }
            hull = hull.hull(range.lowerBound)
            hull = hull.hull(range.upperBound)
        }
        return hull
    }

    mutating func add(_ write: Write) { next.writes.append(write) }

    mutating func number(_ items: [JudgedItem]) {
        next.writes.append(.number(items))
        next.numbered += items
        note(items)
    }

    mutating func store(_ items: [JudgedItem], origins: [Int], sender: Int) {
        if case .store(let before)? = next.writes.last {
            next.writes[next.writes.count - 1] = .store(before + items)
        } else {
            next.writes.append(.store(items))
        }
        for (item, origin) in zip(items, origins) {
            next.stored.append((item, origin, sender))
            next.coming[origin] = next.coming[origin].hull(item.item.number)
        }
        note(items)
    }

    mutating func propose(_ proposals: [Proposal], from member: Int, name: NodeName) {
        next.writes.append(.propose(proposals, from: name))
        next.proposed.append((member, proposals.map(\.command.id)))
    }

    mutating func bound(_ bound: Timestamp) {
        next.writes.append(.bound(bound))
        next.bound = bound
    }

    /// The next write, if there is something to write and room for it.
    mutating func flush() -> Action? {
        guard !next.writes.isEmpty, inFlight.count < Self.inFlightMax else { return nil }
        lastNumber += 1
        let number = WriteNumber(rawValue: lastNumber)
        let action = Action.write(number, next.writes)
        inFlight.append((number, next))
        next = Batch()
        return action
    }

    /// A write is durable; nil if it was not asked for.
    mutating func finish(_ number: WriteNumber) -> Batch? {
        guard let first = inFlight.first, first.number == number else { return nil }
        inFlight.removeFirst()
        return first.batch
    }

    /// Drops what is gathered and not asked for yet: the state that it belonged to is gone.
    mutating func forgetGathered() { next = Batch() }

    private mutating func note(_ items: [JudgedItem]) {
        for judged in items where judged.verdict == .accepted {
            let stamp = judged.item.stamp
            next.earliest = next.earliest.map { min($0, stamp) } ?? stamp
        }
    }
}

extension ClosedRange<Int64>? {
    /// With one more number.
    fileprivate func hull(_ number: Int64) -> ClosedRange<Int64> {
        guard let range = self else { return number...number }
        return Swift.min(range.lowerBound, number)...Swift.max(range.upperBound, number)
    }
}
