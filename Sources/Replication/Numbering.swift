import OrderBook

/// Gives this node's commands their stamps and numbers.
struct Numbering: Sendable {
    /// The last number given.
    var lastNumber: Int64 = 0
    private(set) var lastStamp = Timestamp(.min)
    /// Stamps are above it: what was promised to others, or may have been before a restart.
    var floor = Timestamp(.min)
    /// Up to here a restart would find what was promised.
    var bound = Timestamp(.min)
    var boundAsked = Timestamp(.min)
    /// Durable, and without a stamp.
    private(set) var entered: [Command] = []
    private var head = 0
    private var ids: Set<OrderID> = []
    /// The next stamp lies too far ahead of the clock.
    var isAheadOfClock = false

    var count: Int { entered.count - head }

    mutating func load(
        lastNumber: Int64, lastStamp: Timestamp, floor: Timestamp, bound: Timestamp, entered: [Command]
    ) {
        self.lastNumber = lastNumber
        self.lastStamp = lastStamp
        self.floor = max(self.floor, floor)
        self.bound = max(self.bound, bound)
        boundAsked = self.bound
        let before = self.entered[head...]
        self.entered = []
        head = 0
        ids = []
        enter(entered)
        enter(before)
    }

    mutating func enter(_ commands: some Sequence<Command>) {
        for command in commands where ids.insert(command.id).inserted { entered.append(command) }
    }

    /// Takes back what was persisted beyond what may have been promised; the next bound is written anew.
    mutating func takeBackBound() {
        bound = min(bound, floor)
        boundAsked = bound
    }

    /// Takes note of an own command that the database had lost.
    mutating func recover(_ item: LogItem) {
        lastNumber = max(lastNumber, item.number)
        lastStamp = max(lastStamp, item.stamp)
    }

    func nextStamp(wall: Timestamp) -> Timestamp {
        let least = max(lastStamp, floor)
        return max(wall, Timestamp(least.rawValue == .min ? .min : least.rawValue + 1))
    }

    /// The next of those that entered.
    mutating func take(name: NodeName, wall: Timestamp, isUnconfirmed: Bool) -> JudgedItem {
        var command = entered[head]
        ids.remove(command.id)
        head += 1
        if head > 64, head * 2 > entered.count {
            entered.removeFirst(head)
            head = 0
        }
        lastStamp = nextStamp(wall: wall)
        lastNumber += 1
        command.time = lastStamp
        command.origin = name.rawValue
        let item = LogItem(number: lastNumber, command: command, isUnconfirmed: isUnconfirmed)
        return JudgedItem(item, isUnconfirmed ? .unconfirmed : .accepted)
    }

    /// Those that wait for a stamp, in order.
    var waiting: ArraySlice<Command> { entered[head...] }
}

extension Replicator {
    mutating func enter(_ commands: [Command]) {
        let before = numbering.count
        numbering.enter(commands)
        if configuration.confirmations > 0, numbering.count > before { proposeNew() }
    }

    /// Whether stamps may be given: not before all is known that was promised before, and not by a wrong clock.
    private var mayNumber: Bool {
        level.isLevel && !divergence.isRebuilding && !clock.isOff && numbering.bound > Timestamp(.min)
    }

    /// One write at a time: what comes meanwhile goes into the next, whole.
    mutating func number() {
        guard numbering.count > 0, mayNumber, writer.firstNumbered == nil else { return }
        let limit = now.wall.rawValue + configuration.clockDifferenceMax
        numbering.isAheadOfClock = numbering.nextStamp(wall: now.wall).rawValue > limit
        guard !numbering.isAheadOfClock else { return }
        var items: [JudgedItem] = []
        while items.count < configuration.itemsPerReadMax, let isUnconfirmed = nextVerdict() {
            let judged = numbering.take(name: configuration.name, wall: now.wall, isUnconfirmed: isUnconfirmed)
            proposals.settle(judged.item.command.id)
            if isUnconfirmed { counters.unconfirmed += 1 }
            accept(judged)
            items.append(judged)
        }
        if !items.isEmpty { writer.number(items) }
    }

    private mutating func accept(_ judged: JudgedItem) {
        logs[me].learn(number: judged.item.number, stamp: judged.item.stamp)
        guard judged.verdict == .accepted else { return }
        pools.insert(judged.item, of: me)
        holding.add(Holding.Item(number: judged.item.number, stamp: judged.item.stamp))
    }

    /// Own commands are durable: the others may have them.
    mutating func push(_ items: [JudgedItem]) {
        for judged in items { logs[me].durable.insert(judged.item.number) }
        heartbeats.isDue = true
        guard let last = items.last else { return }
        guard last.item.stamp.rawValue + configuration.window / 2 >= now.wall.rawValue else {
            return holding.withhold(through: last.item.number)
        }
        for chunk in items.chunks(of: configuration.itemsPerMessageMax) {
            for peer in reachable { send(.items(Items(reason: .pushed, items: Array(chunk))), to: peer) }
        }
    }

    /// Promises as much as may be promised: nothing below is on its way, and a restart would find the promise.
    mutating func raiseWatermark() {
        guard mayPromise else { return }
        var through = now.wall
        if let latest = pools.latest, latest.rawValue <= now.wall.rawValue + configuration.clockDifferenceMax {
            through = max(through, latest)
        }
        if !flaws.contains(.watermarkTooEarly), let first = writer.firstNumbered {
            through = min(through, Timestamp(first.rawValue - 1))
        }
        through = min(through, numbering.bound)
        heartbeats.watermark = max(heartbeats.watermark, through)
        if !flaws.contains(.watermarkTooEarly) { numbering.floor = max(numbering.floor, heartbeats.watermark) }
    }

    /// Whether promises may be made: the clock can be trusted, and all is here that this node ever numbered. A node that is
    /// not level promises too: it stamps nothing, and the others need not wait for the window while it catches up.
    var mayPromise: Bool {
        guard !clock.isOff else { return false }
        return level.isLevel || (hasOwnLog && peers.contains { $0.snapshot != nil })
    }

    /// Keeps the persisted bound ahead of the clock.
    mutating func extendBound() {
        guard mayPromise, !divergence.isRebuilding,
            numbering.boundAsked.rawValue < now.wall.rawValue + configuration.boundAhead / 2
        else { return }
        extendBound(by: configuration.boundAhead)
    }

    mutating func extendBound(by ahead: Int64) {
        // Never below what may have been promised, also before a restart.
        numbering.boundAsked = max(numbering.floor, Timestamp(now.wall.rawValue + ahead))
        writer.bound(numbering.boundAsked)
    }
}

extension Array {
    /// In pieces of at most a size.
    func chunks(of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
