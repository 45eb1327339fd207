import OrderBook
import Testing

@testable import Replication

struct ReplicatorTests {
    @Test func `the bound stays ahead of the clock however many events come between ticks`() {
        var rig = Rig()
        rig.connectAndLevel()
        for _ in 0..<10 {
            // Whenever a regular heartbeat is due, something else comes first.
            rig.time += rig.configuration.heartbeatInterval
            _ = rig.beat()
            _ = rig.tick(after: 1)
        }
        #expect(rig.done.bounds.last.map { $0.rawValue > rig.time } == true)
        #expect(rig.sent.last?.watermark == Timestamp(rig.time))
    }

    @Test func `a node that is not level stamps nothing`() {
        var rig = Rig()
        rig.connect()
        let unlevel = rig.handle(.entered([.sample(id: 1)]))
        #expect(unlevel.numbered.isEmpty)
        let level = rig.beat()
        #expect(level.numbered.map(\.item.number) == [1])
    }

    @Test func `a node that starts without a peer goes on alone after the window`() {
        var rig = Rig()
        rig.handle(.entered([.sample(id: 1)]))
        let alone = rig.tick(after: rig.configuration.pauseMax)
        #expect(alone.numbered.isEmpty)
        var actions: [Action] = []
        for _ in 0..<6 { actions += rig.tick(after: rig.configuration.pauseMax) }
        #expect(actions.numbered.count == 1)
        #expect(actions.closed == actions.numbered[0].item.stamp)
    }

    @Test func `commands are pushed when they are durable, with rising numbers and stamps`() {
        var rig = Rig()
        rig.connectAndLevel()
        let actions = rig.handle(.entered([.sample(id: 1), .sample(id: 2)]))
        #expect(actions.pushed == actions.numbered)
        #expect(actions.numbered.map(\.item.number) == [1, 2])
        #expect(actions.numbered[0].item.stamp < actions.numbered[1].item.stamp)
    }

    @Test func `no stamp is at or below an announced watermark, whatever the clock shows`() throws {
        var rig = Rig()
        rig.connectAndLevel()
        _ = rig.tick(after: 300_000)
        _ = rig.beat()
        let promised = try #require(rig.sent.last).watermark
        rig.time -= 60_000
        let numbered = rig.handle(.entered([.sample(id: 1)])).numbered
        #expect(try #require(numbered.first).item.stamp > promised)
    }

    @Test func `no stamp is at or below the bound of an earlier life`() throws {
        let state = StoredState(
            closed: ChainPoint(through: Timestamp(0), digest: .zero), bound: Timestamp(1_300_000), agreed: Timestamp(0))
        var rig = Rig(state: state)
        rig.connectAndLevel()
        let numbered = rig.handle(.entered([.sample(id: 1)])).numbered
        #expect(try #require(numbered.first).item.stamp == Timestamp(1_300_001))
    }

    @Test func `a pool closes when the peer holds it and has promised to send nothing below`() throws {
        var rig = Rig()
        rig.connectAndLevel()
        let entered = rig.handle(.entered([.sample(id: 1)]))
        let stamp = try #require(entered.numbered.first).item.stamp
        let unheld = rig.beat(watermark: stamp.rawValue + 5, mine: 0)
        #expect(unheld.closed.map { $0 >= stamp } != true)
        let held = rig.beat(watermark: stamp.rawValue + 6, mine: 1)
        #expect(held.closed.map { $0 >= stamp } == true)
    }

    @Test func `a promise counts only when all that was promised before is here`() throws {
        var rig = Rig()
        rig.connectAndLevel()
        let stamp = rig.time
        _ = rig.receive(2, at: stamp)
        let gap = rig.beat(watermark: stamp + 5, lastNumber: 2, theirs: 2)
        #expect(gap.closed.map { $0.rawValue >= stamp } != true)
        let filled = rig.receive(1, at: stamp - 5)
        #expect(filled.closed.map { $0.rawValue >= stamp } == true)
    }

    @Test func `what is known is not stored again`() {
        var rig = Rig()
        rig.connectAndLevel()
        let first = rig.receive(1, at: rig.time)
        #expect(first.stored.count == 1)
        let second = rig.receive(1, at: rig.time)
        #expect(second.stored.isEmpty)
    }

    @Test func `what comes for a closed pool is stored as late, and its node is told`() {
        var rig = Rig()
        rig.connectAndLevel()
        _ = rig.receive(1, at: rig.time)
        _ = rig.beat(watermark: rig.time, lastNumber: 1, theirs: 1)
        let actions = rig.receive(2, at: rig.machine.chain.closed.through.rawValue)
        #expect(actions.hangsUp || actions.stored.map(\.verdict) == [.late])
        var other = Rig()
        other.connectAndLevel()
        _ = other.beat(watermark: other.time, lastNumber: 0)
        let late = other.receive(1, at: other.machine.chain.closed.through.rawValue)
        #expect(late.stored.map(\.verdict) == [.late])
        let range = LogRange(origin: Rig.b, numbers: 1...1)
        #expect(late.contains { if case .send(.late([range]), _) = $0 { true } else { false } })
    }

    @Test func `what comes from beyond the window is not stored`() {
        var rig = Rig()
        rig.connectAndLevel()
        let actions = rig.receive(1, at: rig.time + rig.configuration.window + 1)
        #expect(actions.stored.isEmpty)
        #expect(actions.reports == [.tooFarInFuture])
    }

    @Test(
        arguments: [
            ("x", 1, .forged), ("a", 7, .forged), ("b", 0, .malformed), ("b", -1, .malformed),
            ("b", 1 << 48, .malformed),
            ("b", .max, .malformed),
        ] as [(String, Int64, Report.Kind)])
    func `forged commands end the connection and change nothing`(origin: String, number: Int64, kind: Report.Kind) {
        var rig = Rig()
        rig.connectAndLevel()
        let item = LogItem(number: number, command: .sample(id: 1, at: rig.time, origin: origin))
        let actions = rig.handle(
            .received(.items(Items(reason: .relayed, items: [JudgedItem(item, .accepted)])), from: Rig.b))
        #expect(actions.hangsUp)
        #expect(actions.stored.isEmpty)
        #expect(actions.reports == [kind])
    }

    @Test(arguments: [
        LogPosition(origin: Rig.b, contiguous: .min, beyond: [], highest: 0),
        LogPosition(origin: Rig.b, contiguous: 5, beyond: [], highest: 4),
        LogPosition(origin: Rig.b, contiguous: 5, beyond: [3...4], highest: 9),
        LogPosition(origin: Rig.b, contiguous: 0, beyond: [], highest: .max),
        LogPosition(origin: Rig.b, contiguous: 0, beyond: [2...1 << 48], highest: 1 << 48),
    ])
    func `a position that cannot be ends the connection`(position: LogPosition) {
        var rig = Rig()
        rig.connectAndLevel()
        var heartbeat = Heartbeat.sample
        heartbeat.positions = [position]
        let actions = rig.handle(.received(.heartbeat(heartbeat), from: Rig.b))
        #expect(actions.hangsUp)
        #expect(actions.reports == [.malformed])
    }

    @Test func `a command on its way to a peer's database is not refused as unheard`() {
        var rig = Rig()
        rig.connectAndLevel()
        rig.handle(.entered([.sample(id: 1)]))
        let coming = LogPosition(origin: Rig.a, contiguous: 0, beyond: [], highest: 1, coming: 1...1)
        let actions = rig.overdue(coming)
        #expect(actions.refused.isEmpty)
        let lacking = LogPosition(origin: Rig.a, contiguous: 0, beyond: [], highest: 0)
        #expect(rig.overdue(lacking).refused == [LogRange(origin: Rig.a, numbers: 1...1)])
    }

    @Test func `what was refused is not read from the log as accepted`() {
        var rig = Rig()
        rig.connectAndLevel()
        let numbered = rig.handle(.entered([.sample(id: 1)])).numbered
        let range = LogRange(origin: Rig.a, numbers: 1...1)
        let read = rig.handle(.received(.pull(Pull(ranges: [range])), from: Rig.b))
        let reads = read.compactMap { if case .read(let number, _) = $0 { number } else { nil } }
        _ = rig.overdue(LogPosition(origin: Rig.a, contiguous: 0, beyond: [], highest: 0))
        let answer = rig.handle(.found(reads[0], numbered, isComplete: true))
        let told = answer.compactMap { if case .send(.items(let items), _) = $0 { items.items } else { nil } }
        #expect(told.flatMap { $0 }.map(\.verdict) == [.late])
    }

    @Test func `a refusal holds, whoever tells of it`() {
        var rig = Rig { $0.members = [Rig.a, Rig.b, Rig.c] }
        rig.connectAndLevel()
        let item = LogItem(number: 1, command: .sample(id: 1, at: rig.time, origin: "c"))
        let actions = rig.handle(
            .received(.items(Items(reason: .pulled, items: [JudgedItem(item, .late)])), from: Rig.b))
        #expect(actions.stored.map(\.verdict) == [.late])
    }

    @Test func `nothing is closed by the window while what a lost connection held may be on its way`() {
        var rig = Rig { $0.closesEarly = false }
        rig.connectAndLevel()
        _ = rig.receive(1, at: rig.time)
        for _ in 0..<5 {
            _ = rig.tick(after: rig.configuration.window / 6)
            _ = rig.beat(theirs: 1)
        }
        rig.handle(.connected(Rig.b))
        var actions = rig.tick(after: rig.configuration.window / 5)
        #expect(actions.closed == nil)
        rig.connect()
        actions = rig.beat(theirs: 1)
        #expect(actions.closed != nil)
    }

    @Test func `a message before hello ends the connection`() {
        var rig = Rig()
        rig.handle(.connected(Rig.b))
        let early = rig.receive(1, at: rig.time)
        #expect(early.hangsUp)
    }

    @Test(arguments: [0, 1, 2])
    func `a peer of another cluster is not spoken to`(part: Int) {
        var rig = Rig()
        rig.handle(.connected(Rig.b))
        var hello = Hello(
            clusterID: "c", members: rig.configuration.members, window: rig.configuration.window, markets: [])
        switch part {
        case 0: hello.clusterID = "d"
        case 1: hello.members = [Rig.a, Rig.c]
        default: hello.window += 1
        }
        let actions = rig.handle(.received(.hello(hello), from: Rig.b))
        #expect(actions.reports == [.mismatch])
        #expect(actions.hangsUp)
    }

    @Test func `a command is stamped when enough nodes have stored it, and refused when they do not answer`() {
        var rig = Rig { $0.confirmations = 1 }
        rig.connectAndLevel()
        let proposed = rig.handle(.entered([.sample(id: 1), .sample(id: 2)]))
        #expect(proposed.numbered.isEmpty)
        let confirmed = rig.handle(.received(.confirm([OrderID(high: 0, low: 1)]), from: Rig.b))
        #expect(confirmed.numbered.map(\.verdict) == [.accepted])
        var actions = rig.tick(after: 700_000)
        actions += rig.beat(mine: 1)
        actions += rig.tick(after: 400_000)
        #expect(actions.numbered.map(\.verdict) == [.unconfirmed])
        #expect(actions.numbered.map(\.item.isUnconfirmed) == [true])
    }

    @Test func `a node that stood still closes nothing before it has heard its peers`() {
        var rig = Rig()
        rig.connectAndLevel()
        _ = rig.receive(1, at: rig.time)
        let actions = rig.tick(after: 5_000_000)
        #expect(actions.reports.first == .behind)
        #expect(actions.closed == nil)
    }

    @Test func `of two nodes that differ the one with the lower name is right`() {
        var rig = Rig()
        rig.connectAndLevel()
        _ = rig.receive(1, at: rig.time)
        _ = rig.beat(watermark: rig.time + 1, lastNumber: 1, theirs: 1)
        let point = ChainPoint(through: rig.machine.chain.closed.through, digest: Digest((1, 2, 3, 4)))
        let actions = rig.beat(watermark: rig.time + 2, lastNumber: 1, theirs: 1, chain: point)
        #expect(actions.reports.contains(.diverged))
        #expect(!actions.contains { if case .rebuild = $0 { true } else { false } })
    }

    @Test func `what waits has a bound, and pushes beyond it are left to be pulled`() {
        var rig = Rig {
            $0.waitingMax = 2
            $0.closesEarly = false
        }
        rig.connectAndLevel()
        for number in 1...3 as ClosedRange<Int64> { _ = rig.receive(number, at: rig.time + number) }
        #expect(rig.machine.status.waiting == 2)
        #expect(!rig.machine.status.admits)
        #expect(rig.machine.status.because == "too many commands wait")
    }
}
