import OrderBook

@testable import Replication

/// One node of a cluster of `a` and `b`, with the other played by the test. It has joined, unless its state says otherwise.
struct Rig {
    static let a = NodeName("a")!
    static let b = NodeName("b")!
    static let c = NodeName("c")!
    var configuration: ReplicationConfiguration
    var machine: Replicator
    /// Microseconds; both clocks.
    var time: Int64 = 1_000_000
    var heartbeat: Int64 = 0
    var done: [Action] = []

    init(state: StoredState? = nil, change: (inout ReplicationConfiguration) -> Void = { _ in }) {
        configuration = ReplicationConfiguration(name: Self.a, clusterID: "c", members: [Self.a, Self.b])
        change(&configuration)
        let empty = StoredState(
            closed: ChainPoint(through: Timestamp(0), digest: .zero), bound: Timestamp(0), agreed: Timestamp(0))
        machine = Replicator(
            configuration: configuration, state: state ?? empty, now: Instant(wall: Timestamp(time), uptime: time))
    }

    /// What it does, with all writes done at once.
    @discardableResult
    mutating func handle(_ event: Event) -> [Action] {
        var all: [Action] = []
        var events = [event]
        while !events.isEmpty {
            let actions = machine.handle(events.removeFirst(), now: Instant(wall: Timestamp(time), uptime: time))
            for case .write(let number, _) in actions { events.append(.written(number, duplicates: [])) }
            all += actions
        }
        done += all
        return all
    }

    mutating func tick(after microseconds: Int64 = 10_000) -> [Action] {
        time += microseconds
        return handle(.tick)
    }

    mutating func beat(
        watermark: Int64 = 0, lastNumber: Int64 = 0, mine: Int64 = 0, theirs: Int64 = 0, chain: ChainPoint? = nil,
        markets: [MarketPosition] = [], isLevel: Bool = true, by peer: NodeName = Self.b
    ) -> [Action] {
        heartbeat += 1
        return handle(
            .received(
                .heartbeat(
                    Heartbeat(
                        number: heartbeat, watermark: Timestamp(watermark), lastNumber: lastNumber,
                        chain: chain ?? ChainPoint(through: Timestamp(0), digest: .zero),
                        positions: [
                            LogPosition(origin: Self.a, contiguous: mine, beyond: [], highest: mine),
                            LogPosition(origin: peer, contiguous: theirs, beyond: [], highest: theirs),
                        ], markets: markets, isLevel: isLevel, sentAt: Timestamp(time),
                        echo: Heartbeat.Echo(
                            number: sent.last?.number ?? 0, sentAt: Timestamp(time), receivedAt: Timestamp(time)))),
                from: peer))
    }

    /// Time passes until an own command is overdue, and the peer says what it has of this node's.
    mutating func overdue(_ mine: LogPosition) -> [Action] {
        var actions: [Action] = []
        for _ in 0..<2 {
            time += configuration.window
            actions += handle(.tick)
            heartbeat += 1
            var told = Heartbeat.sample
            told.number = heartbeat
            told.chain = ChainPoint(through: Timestamp(0), digest: .zero)
            told.positions = [mine]
            told.markets = []
            told.echo = Heartbeat.Echo(
                number: sent.last?.number ?? 0, sentAt: Timestamp(time), receivedAt: Timestamp(time))
            actions += handle(.received(.heartbeat(told), from: Self.b))
            actions += handle(.tick)
        }
        return actions
    }

    mutating func connect(_ peer: NodeName = Self.b, members: [NodeName]? = nil) {
        handle(.connected(peer))
        let hello = Hello(
            clusterID: "c", members: members ?? configuration.members, window: configuration.window, markets: [])
        handle(.received(.hello(hello), from: peer))
    }

    mutating func connectAndLevel() {
        connect()
        _ = beat()
        _ = tick()
    }

    mutating func receive(_ number: Int64, at stamp: Int64, verdict: Verdict = .accepted, origin: String = "b")
        -> [Action]
    {
        let item = LogItem(number: number, command: .sample(id: UInt64(100 + number), at: stamp, origin: origin))
        return handle(.received(.items(Items(reason: .pushed, items: [JudgedItem(item, verdict)])), from: Self.b))
    }

    var sent: [Heartbeat] {
        done.compactMap { if case .send(.heartbeat(let heartbeat), _) = $0 { heartbeat } else { nil } }
    }
}

extension [Action] {
    var writes: [Write] {
        flatMap { action -> [Write] in if case .write(_, let writes) = action { writes } else { [] } }
    }
    var numbered: [JudgedItem] {
        writes.flatMap { write -> [JudgedItem] in if case .number(let items) = write { items } else { [] } }
    }
    var stored: [JudgedItem] {
        writes.flatMap { write -> [JudgedItem] in if case .store(let items) = write { items } else { [] } }
    }
    var closed: Timestamp? {
        writes.compactMap { if case .close(let point) = $0 { point.through } else { nil } }.last
    }
    var bounds: [Timestamp] {
        writes.compactMap { if case .bound(let time) = $0 { time } else { nil } }
    }
    var pushed: [JudgedItem] {
        flatMap { action -> [JudgedItem] in
            if case .send(.items(let items), _) = action, items.reason == .pushed { items.items } else { [] }
        }
    }
    var reports: [Report.Kind] {
        compactMap { if case .report(let report) = $0 { report.kind } else { nil } }
    }
    var refused: [LogRange] {
        writes.flatMap { write -> [LogRange] in if case .refuse(let ranges, _) = write { ranges } else { [] } }
    }
    var asksForCheck: Bool { contains { if case .check = $0 { true } else { false } } }
    var rebuildsFrom: NodeName? {
        compactMap { if case .rebuild(let peer) = $0 { peer } else { nil } }.first
    }
    var hangsUp: Bool { contains { if case .disconnect = $0 { true } else { false } } }
}
