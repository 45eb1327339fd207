import OrderBook
import Testing

@testable import Replication

/// Nodes that executed the same commands with other results.
struct ResultsTests {
    private static let told = MarketPosition(market: "M", seq: Seq(3), digestHead: 1)
    private static let own = MarketPosition(market: "M", seq: Seq(3), digestHead: 2)

    /// A node that has found that its peer's results differ, for long enough.
    private func contradicted(byLowerName: Bool, _ actions: inout [Action]) -> Rig {
        var rig = Rig { if byLowerName { $0.name = Rig.b } }
        let peer = byLowerName ? Rig.a : Rig.b
        rig.connect(peer)
        _ = rig.beat(by: peer)
        _ = rig.tick()
        rig.handle(.compared(with: peer, equal: [], differing: [Self.own]))
        actions = rig.tick(after: 2 * rig.configuration.heartbeatInterval)
        return rig
    }

    @Test(arguments: [true, false])
    func `nothing is copied before a node has found its own tables wrong`(byLowerName: Bool) {
        var actions: [Action] = []
        var rig = contradicted(byLowerName: byLowerName, &actions)
        #expect(actions.asksForCheck)
        #expect(actions.rebuildsFrom == nil)
        // Of two the one with the higher name takes no orders meanwhile.
        #expect(rig.machine.status.admits == !byLowerName)
        let sound = rig.handle(.checked(found: nil)) + rig.tick()
        #expect(sound.rebuildsFrom == nil)
        #expect(!sound.asksForCheck)
    }

    @Test func `whose tables are wrong takes those of a peer`() {
        var actions: [Action] = []
        var rig = contradicted(byLowerName: false, &actions)
        let found = rig.handle(.checked(found: "a row too many")) + rig.tick()
        #expect(found.rebuildsFrom == Rig.b)
        #expect(!rig.machine.status.isLevel)
    }

    @Test func `a peer that is not level is not copied, and not believed`() {
        var actions: [Action] = []
        var rig = contradicted(byLowerName: true, &actions)
        #expect(!rig.machine.status.admits)
        _ = rig.beat(isLevel: false, by: Rig.a)
        #expect(rig.machine.status.admits)
        rig.handle(.checked(found: "a row too many"))
        let waiting = rig.tick()
        #expect(waiting.rebuildsFrom == nil)
        #expect(rig.machine.status.because == "its tables are damaged, and no peer is there to rebuild from")
    }

    @Test func `doubt ends when results agree again`() {
        var actions: [Action] = []
        var rig = contradicted(byLowerName: true, &actions)
        rig.handle(.checked(found: nil))
        rig.handle(
            .compared(with: Rig.a, equal: [MarketPosition(market: "N", seq: Seq(1), digestHead: 5)], differing: []))
        #expect(!rig.machine.status.admits)
        rig.handle(.compared(with: Rig.a, equal: [Self.told], differing: []))
        #expect(rig.machine.status.admits)
    }
}
