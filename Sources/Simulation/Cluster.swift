import OrderBook
import Replication

/// A cluster in virtual time: production `Replicator`s over a network, disks and clocks that a seed determines.
struct Cluster {
    /// The wall clocks' time at the beginning.
    static let epoch: Int64 = 1_750_000_000_000_000

    enum Happening: Sendable {
        case tick(Int, life: Int)
        case enter(Command, at: Int)
        case tell(Int)
        case deliver(Message, from: Int, to: Int, connection: Int, sentAt: Int64)
        case hungUp(Int, by: Int, connection: Int)
        case written(Int, life: Int, WriteNumber)
        case read(Int, life: Int, ReadNumber, [LogRange])
        case match(Int)
        case positions(Int, life: Int)
        case compare(Int, life: Int, NodeName, [MarketPosition])
        case lost(Int, Int, life: Int)
        case rebuild(Int, life: Int, from: Int)
        case checked(Int, life: Int)
        case dial(Int, Int)
        case trouble(PlannedTrouble)
        case start(Int)
        case resume(Int)
        case heal
        case check
    }

    let scenario: Scenario
    let flaws: Flaw
    var chance: Chance
    var agenda = Agenda<Happening>()
    var now: Int64 = 0
    var nodes: [Node]
    let names: [NodeName]
    /// By sender and receiver.
    var directions: [[Direction]]
    var isDialling: [[Bool]]
    var lastConnection = 0
    var lossPermille: Int64
    var isHealed = false
    var workload = Workload()
    var trace = TraceHash()
    var result: SimulationResult
    var audit = Audit()
    var log: ((String) -> Void)?

    init(_ scenario: Scenario, flaws: Flaw) {
        self.scenario = scenario
        self.flaws = flaws
        chance = Chance(seed: scenario.seed ^ 0xa5a5_a5a5_a5a5_a5a5)
        names = (0..<scenario.nodeCount).map(Scenario.name)
        let names = names
        nodes = names.map { _ in Node(disk: Disk(names: names)) }
        let count = scenario.nodeCount
        directions = Array(repeating: Array(repeating: Direction(), count: count), count: count)
        isDialling = Array(repeating: Array(repeating: false, count: count), count: count)
        lossPermille = scenario.lossPermille
        result = SimulationResult(seed: scenario.seed, regime: scenario.regime)
    }

    /// Runs to the end.
    mutating func run() -> SimulationResult {
        plan()
        do {
            while let (time, happening) = agenda.next() {
                now = time
                result.events += 1
                if case .check = happening {
                    if try isFinished() { break }
                } else {
                    try happen(happening)
                }
            }
            try checkEnd()
        } catch {
            result.fault = error.text
        }
        result.trace = trace.value
        result.duration = now
        return result
    }

    private mutating func plan() {
        for node in nodes.indices {
            nodes[node].offset = chance.within(0...scenario.skew) - scenario.skew / 2
            guard let at = scenario.latecomerAt, node == nodes.count - 1 else {
                start(node)
                continue
            }
            agenda.add(.start(node), at: at)
        }
        var end = scenario.duration
        for trouble in scenario.plan(&chance) {
            agenda.add(.trouble(trouble), at: trouble.at)
            end = max(end, trouble.at + trouble.duration + scenario.window)
        }
        enterCommands(until: end)
        agenda.add(.heal, at: end)
    }

    private mutating func enterCommands(until end: Int64) {
        let first = 2 * scenario.window + 100_000
        for _ in 0..<scenario.commandCount {
            // Bursts, so that commands of several nodes meet in one pool.
            let at = chance.within(min(first, end)...end)
            let burst = chance.happens(percent: 30) ? Int(chance.within(2...4)) : 1
            for _ in 0..<burst {
                let command = workload.next(&chance)
                let node = chance.index(nodes.count)
                agenda.add(.enter(command, at: node), at: at + chance.below(50))
                guard scenario.hasRetries, chance.happens(percent: 25) else { continue }
                agenda.add(.enter(command, at: chance.index(nodes.count)), at: at + chance.below(3 * scenario.window))
            }
        }
    }

    mutating func happen(_ happening: Happening) throws(Fault) {
        switch happening {
        case .tick(let node, let life): try tick(node, life)
        case .enter(let command, let node): enter(command, at: node)
        case .tell(let node): try tell(node)
        case .deliver(let message, let from, let to, let connection, let sentAt):
            guard directions[to][from].connection == connection else { return }
            try handle(.received(message, from: names[from]), at: to)
            if isHealed, sentAt >= audit.healedAt, case .heartbeat(let heartbeat) = message {
                try audit.hear(from, at: to, both: min(heartbeat.chain.through, nodes[to].disk.closed.through))
            }
        case .hungUp(let node, let peer, let connection):
            guard directions[node][peer].connection == connection else { return }
            lose(node, peer)
        case .written(let node, let life, let number): try written(node, life, number)
        case .read(let node, let life, let number, let ranges):
            guard nodes[node].life == life else { return }
            let (items, isComplete) = nodes[node].disk.read(ranges, max: scenario.readMax)
            try handle(.found(number, items, isComplete: isComplete), at: node)
        case .match(let node): try match(node)
        case .positions(let node, let life):
            guard nodes[node].life == life else { return }
            try handle(.executed(nodes[node].matcher.positions), at: node)
        case .compare(let node, let life, let peer, let positions):
            guard nodes[node].life == life else { return }
            let (equal, differing) = nodes[node].matcher.compare(positions)
            try handle(.compared(with: peer, equal: equal, differing: differing), at: node)
        case .lost(let node, let peer, let life):
            if nodes[node].life == life { try handle(.disconnected(names[peer]), at: node) }
        case .rebuild(let node, let life, let source): try rebuild(node, life, source)
        case .checked(let node, let life):
            guard nodes[node].life == life else { return }
            try handle(.checked(found: nodes[node].matcher.damage), at: node)
        case .dial(let a, let b): try dial(a, b)
        case .trouble(let trouble): try begin(trouble)
        case .start(let node): start(node)
        case .resume(let node): try resume(node)
        case .heal: try heal()
        case .check: break
        }
    }

    // MARK: Processes

    mutating func start(_ node: Int) {
        guard nodes[node].machine == nil else { return }
        nodes[node].life += 1
        nodes[node].pausedUntil = nil
        nodes[node].waiting = []
        nodes[node].queue = []
        nodes[node].isRebuilding = false
        nodes[node].untold = []
        nodes[node].machine = Replicator(
            configuration: scenario.configuration(of: node), state: nodes[node].disk.state, now: instant(node),
            flaws: flaws)
        agenda.add(
            .tick(node, life: nodes[node].life), at: now + 1 + chance.below(scenario.tickInterval))
        agenda.add(.positions(node, life: nodes[node].life), at: now + 1)
        for peer in nodes.indices where peer != node { plan(dialBetween: node, peer) }
        planMatch(node)
    }

    func instant(_ node: Int) -> Instant {
        Instant(wall: nodes[node].wall(at: now, step: scenario.clockStep), uptime: now)
    }

    private mutating func tick(_ node: Int, _ life: Int) throws(Fault) {
        guard nodes[node].life == life, nodes[node].machine != nil else { return }
        agenda.add(.tick(node, life: life), at: now + scenario.tickInterval)
        guard nodes[node].pausedUntil == nil else { return }
        try handle(.tick, at: node)
        guard nodes[node].matcher.isTampered, !nodes[node].isRebuilding else { return }
        // All is computed anew now and then.
        let due = nodes[node].checkAt ?? now + 20 * scenario.window
        if nodes[node].checkAt == nil { nodes[node].checkAt = due }
        guard now >= due else { return }
        nodes[node].checkAt = now + 20 * scenario.window
        try handle(.checked(found: nodes[node].matcher.damage), at: node)
    }

    mutating func resume(_ node: Int) throws(Fault) {
        guard let until = nodes[node].pausedUntil, until <= now else { return }
        nodes[node].pausedUntil = nil
        let waiting = nodes[node].waiting
        nodes[node].waiting = []
        for event in waiting { try handle(event, at: node) }
    }

    mutating func handle(_ event: Event, at node: Int) throws(Fault) {
        guard nodes[node].machine != nil else { return }
        guard nodes[node].pausedUntil == nil else {
            if case .tick = event { return }
            nodes[node].waiting.append(event)
            return
        }
        log?("\(now) \(names[node]) ◀ \(event)")
        let instant = instant(node)
        let actions = nodes[node].machine?.handle(event, now: instant) ?? []
        trace.add(now)
        trace.add(node << 8 | actions.count)
        for action in actions { try take(action, at: node) }
    }

    // MARK: Entering

    private mutating func enter(_ command: Command, at node: Int) {
        guard nodes[node].disk.admits else { return }
        // The database knows the ids of its own commands.
        guard audit.enter(command.id, at: node) else { return }
        result.commands += 1
        var command = command
        command.origin = names[node].rawValue
        nodes[node].disk.entered.append(command)
        guard nodes[node].machine != nil else { return }
        if nodes[node].untold.isEmpty { agenda.add(.tell(node), at: now + 100 + chance.below(2_000)) }
        nodes[node].untold.append(command)
    }

    private mutating func tell(_ node: Int) throws(Fault) {
        guard !nodes[node].untold.isEmpty else { return }
        let commands = nodes[node].untold
        nodes[node].untold = []
        try handle(.entered(commands), at: node)
    }

    // MARK: Matching

    mutating func planMatch(_ node: Int) {
        guard !nodes[node].isMatching, nodes[node].matcher.executed < nodes[node].disk.history.count else { return }
        nodes[node].isMatching = true
        agenda.add(.match(node), at: now + chance.within(scenario.disk))
    }

    private mutating func match(_ node: Int) throws(Fault) {
        nodes[node].isMatching = false
        let history = nodes[node].disk.history
        let positions = nodes[node].matcher.run(history)
        if !positions.isEmpty { try handle(.executed(positions), at: node) }
    }
}
