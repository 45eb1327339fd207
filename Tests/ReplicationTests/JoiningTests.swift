import OrderBook
import Testing

@testable import Replication

/// A node whose database is empty.
struct JoiningTests {
    private static let three = [Rig.a, Rig.b, Rig.c]
    private static let nothing = StoredState(
        closed: ChainPoint(through: Timestamp(.min), digest: .zero), bound: Timestamp(.min), agreed: Timestamp(.min))

    @Test func `a new node takes no orders before it has heard all members of a cluster that has begun`() {
        var rig = Rig(state: Self.nothing) { $0.members = Self.three }
        rig.connect()
        _ = rig.beat(theirs: 1)
        _ = rig.receive(1, at: rig.time, verdict: .late)
        _ = rig.beat(theirs: 1)
        #expect(!rig.machine.status.isLevel)
        #expect(rig.machine.status.because == "it is new, and has not heard c yet")
        rig.connect(Rig.c)
        _ = rig.beat(by: Rig.c)
        #expect(rig.machine.status.isLevel)
        #expect(rig.machine.status.because == nil)
    }

    @Test func `a new node waits for the commands that others have of it`() {
        var rig = Rig(state: Self.nothing)
        rig.connect()
        _ = rig.beat(mine: 1)
        #expect(!rig.machine.status.isLevel)
        let item = JudgedItem(LogItem(number: 1, command: .sample(id: 1, at: 500, origin: "a")), .late)
        let range = LogRange(origin: Rig.a, numbers: 1...1)
        rig.handle(.received(.items(Items(reason: .pulled, items: [item], answered: [range])), from: Rig.b))
        #expect(rig.machine.status.isLevel)
        let next = rig.handle(.entered([.sample(id: 2)]))
        #expect(next.numbered.map(\.item.number) == [2])
    }

    @Test func `most members are enough to begin a cluster`() {
        var rig = Rig(state: Self.nothing) { $0.members = Self.three }
        _ = rig.tick(after: 700_000)
        #expect(!rig.machine.status.isLevel)
        rig.connect()
        _ = rig.beat()
        #expect(rig.machine.status.isLevel)
    }

    @Test func `a node that joined goes on without having heard all`() {
        var rig = Rig { $0.members = Self.three }
        rig.connect()
        _ = rig.beat(theirs: 0)
        #expect(rig.machine.status.isLevel)
    }

    @Test func `members learn of a new one one after the other`() {
        var grown = Rig { $0.members = Self.three }
        grown.connect(members: [Rig.a, Rig.b])
        #expect(grown.machine.status.peers.filter(\.isConnected).map(\.name) == [Rig.b])
        var old = Rig()
        old.connect(members: Self.three)
        #expect(old.machine.status.peers.filter(\.isConnected).map(\.name) == [Rig.b])
    }

    @Test func `a new node has not heard a member that does not know it`() {
        var rig = Rig(state: Self.nothing) { $0.members = Self.three }
        rig.connect()
        _ = rig.beat(theirs: 1)
        _ = rig.receive(1, at: rig.time, verdict: .late)
        rig.connect(Rig.c, members: [Rig.b, Rig.c])
        _ = rig.beat(theirs: 1)
        _ = rig.beat(by: Rig.c)
        #expect(!rig.machine.status.isLevel)
    }

    @Test func `what was not taken is here before a node is level`() {
        var rig = Rig { $0.waitingMax = 2 }
        rig.connect()
        for number in 1...3 as ClosedRange<Int64> { _ = rig.receive(number, at: rig.time + number) }
        _ = rig.beat(theirs: 2)
        #expect(!rig.machine.status.isLevel)
    }

    /// A node that has heard both others, and lacks so much that it will copy a state.
    private static func farBehind(state: StoredState? = nil) -> Rig {
        var rig = Rig(state: state) {
            $0.members = three
            $0.copyAbove = 10
        }
        rig.connect()
        rig.connect(Rig.c)
        _ = rig.beat(theirs: 11)
        _ = rig.beat(by: Rig.c)
        return rig
    }

    @Test func `while a node catches up it promises to stamp nothing, so that the others need not wait for it`() {
        var rig = Rig()
        rig.connect()
        _ = rig.beat(theirs: 5)
        for _ in 0..<2 { _ = rig.tick(after: rig.configuration.heartbeatInterval) }
        #expect(!rig.machine.status.isLevel)
        #expect(rig.sent.last?.watermark == Timestamp(rig.time))
        // What a peer pushes shall not wait for the next regular heartbeat.
        rig.time += 1_000
        _ = rig.receive(7, at: rig.time)
        #expect(rig.sent.last?.watermark == Timestamp(rig.time))
    }

    @Test func `a new node promises nothing before it has heard all, who may know what it numbered once`() {
        var rig = Rig(state: Self.nothing) { $0.members = Self.three }
        rig.connect()
        _ = rig.beat(theirs: 5)
        for _ in 0..<2 { _ = rig.tick(after: rig.configuration.heartbeatInterval) }
        #expect(rig.sent.map(\.watermark).allSatisfy { $0 == Timestamp(.min) })
        rig.connect(Rig.c)
        _ = rig.beat(mine: 1, by: Rig.c)
        for _ in 0..<2 { _ = rig.tick(after: rig.configuration.heartbeatInterval) }
        #expect(rig.sent.map(\.watermark).allSatisfy { $0 == Timestamp(.min) })
        let own = JudgedItem(LogItem(number: 1, command: .sample(id: 1, at: 500, origin: "a")), .late)
        rig.handle(.received(.items(Items(reason: .pulled, items: [own])), from: Rig.c))
        for _ in 0..<2 { _ = rig.tick(after: rig.configuration.heartbeatInterval) }
        #expect(!rig.machine.status.isLevel)
        #expect(rig.sent.last?.watermark == Timestamp(rig.time))
    }

    @Test func `a node that copies a state goes on promising, and takes back what it did not need`() {
        var rig = Self.farBehind()
        let asked = rig.tick(after: rig.configuration.heartbeatInterval)
        #expect(asked.rebuildsFrom == Rig.b)
        #expect(asked.bounds.last.map { $0.rawValue >= rig.time + rig.configuration.copyBoundAhead } == true)
        _ = rig.tick(after: 700_000)
        _ = rig.beat(theirs: 11)
        _ = rig.tick(after: rig.configuration.heartbeatInterval)
        #expect(rig.sent.last?.watermark == Timestamp(rig.time))
        rig.handle(.notRebuilt(because: "it is busy"))
        _ = rig.beat(theirs: 11)
        let after = rig.tick(after: rig.configuration.heartbeatInterval)
        #expect(after.bounds.last == Timestamp(rig.time + rig.configuration.boundAhead))
        #expect(rig.machine.status.because?.hasPrefix("it catches up") == true)
    }

    @Test func `what may have been promised before a restart is not taken back, though the clock was set back since`() {
        let bound = Timestamp(9_000_000)
        let before = StoredState(
            closed: ChainPoint(through: Timestamp(0), digest: .zero), bound: bound, agreed: Timestamp(0))
        var rig = Self.farBehind(state: before)
        #expect(rig.tick(after: rig.configuration.heartbeatInterval).rebuildsFrom == Rig.b)
        rig.handle(.notRebuilt(because: "it is busy"))
        for _ in 0..<3 {
            _ = rig.beat(theirs: 11)
            _ = rig.tick(after: rig.configuration.heartbeatInterval)
        }
        #expect(!rig.done.bounds.isEmpty)
        #expect(rig.done.bounds.allSatisfy { $0 >= bound })
    }

    @Test func `a node that starts waits for all members before it copies a state, but a window at most`() {
        var rig = Rig(state: Self.nothing) {
            $0.members = Self.three + [NodeName("d")!]
            $0.copyAbove = 10
        }
        rig.connect()
        rig.connect(Rig.c)
        _ = rig.beat(theirs: 11)
        _ = rig.beat(by: Rig.c)
        #expect(rig.tick(after: rig.configuration.heartbeatInterval).rebuildsFrom == nil)
        var source: NodeName?
        while source == nil, rig.time < 1_000_000 + 2 * rig.configuration.window {
            _ = rig.beat(theirs: 11)
            _ = rig.beat(by: Rig.c)
            source = rig.tick(after: rig.configuration.heartbeatInterval).rebuildsFrom
        }
        #expect(source == Rig.b)
        #expect(rig.time >= 1_000_000 + rig.configuration.window)
        #expect(rig.sent.allSatisfy { $0.watermark == Timestamp(.min) })
    }

    @Test func `who lacks more than it has copies a state instead of pulling the log`() {
        var rig = Rig(state: Self.nothing) {
            $0.members = Self.three
            $0.copyAbove = 10
        }
        rig.connect()
        _ = rig.beat(theirs: 11)
        // What enters at its only peer would be stored by nobody meanwhile.
        #expect(rig.tick(after: rig.configuration.heartbeatInterval).rebuildsFrom == nil)
        rig.connect(Rig.c)
        _ = rig.beat(by: Rig.c)
        #expect(rig.tick(after: rig.configuration.heartbeatInterval).rebuildsFrom == Rig.b)
        // Where no copy is given the log is pulled.
        rig.handle(.notRebuilt(because: "it is busy"))
        _ = rig.beat(theirs: 11)
        var actions: [Action] = []
        for _ in 0..<3 { actions += rig.tick(after: rig.configuration.pullTimeout + 1) }
        #expect(actions.rebuildsFrom == nil)
        #expect(actions.contains { if case .send(.pull, _) = $0 { true } else { false } })
    }
}
