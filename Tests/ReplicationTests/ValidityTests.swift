import OrderBook
import TestRandom
import Testing

@testable import Replication

/// What a node takes from another, of what can be written down.
@Suite struct ValidityTests {
    private let command = Command(
        id: OrderID(high: 1, low: 1), time: Timestamp(1), market: "M", user: UserID("ann"), origin: "a",
        action: .cancel(OrderID(high: 1, low: 1)))

    private func heartbeat(_ change: (inout Heartbeat) -> Void = { _ in }) -> Message {
        var heartbeat = Heartbeat(
            number: 1, watermark: Timestamp(.min), lastNumber: 0,
            chain: ChainPoint(through: Timestamp(.min), digest: nil),
            positions: [], markets: [], isLevel: true, sentAt: Timestamp(1), echo: nil)
        change(&heartbeat)
        return .heartbeat(heartbeat)
    }

    private static let wrongTimes = [
        Timestamp(.max), Timestamp(.max - 1), Timestamp(.min + 1), Bounds.times.lowerBound - 1,
        Bounds.times.upperBound + 1,
    ]

    @Test func `what an honest node says has no fault`() {
        #expect(heartbeat().fault == nil)
        #expect(heartbeat { $0.watermark = Bounds.times.upperBound }.fault == nil)
        #expect(Message.propose([Proposal(command: command)]).fault == nil)
        #expect(
            Message.items(Items(reason: .pushed, items: [JudgedItem(LogItem(number: 1, command: command), .accepted)]))
                .fault == nil)
        #expect(Message.chainQuery(Timestamp(.min)).fault == nil)
    }

    @Test(arguments: wrongTimes) func `a time outside the years is no time of an honest node`(time: Timestamp) {
        var stamped = command
        stamped.time = time
        let messages: [Message] = [
            .chainQuery(time), .chainAnswer(ChainPoint(through: time, digest: nil)),
            heartbeat { $0.watermark = time }, heartbeat { $0.sentAt = time },
            heartbeat { $0.chain.through = time },
            heartbeat { $0.echo = .init(number: 1, sentAt: time, receivedAt: Timestamp(1)) },
            heartbeat { $0.echo = .init(number: 1, sentAt: Timestamp(1), receivedAt: time) },
            .propose([Proposal(command: stamped)]),
            .items(Items(reason: .pulled, items: [JudgedItem(LogItem(number: 1, command: stamped), .accepted)])),
        ]
        for message in messages { #expect(message.fault != nil, "\(message)") }
    }

    @Test func `numbers beyond a log's are no numbers of an honest node`() {
        for number in [Int64.min, -1, Bounds.numberMax + 1, .max] {
            #expect(
                heartbeat { $0.markets = [MarketPosition(market: "M", seq: Seq(number), digestHead: 0)] }.fault != nil)
        }
        for coming in [Int64.min...0, 1...Int64.max, 0...0] {
            let position = LogPosition(
                origin: NodeName("a")!, contiguous: 0, beyond: [], highest: 0, coming: coming)
            #expect(heartbeat { $0.positions = [position] }.fault != nil)
        }
    }

    /// Every message that has no fault is taken without a trap, whatever it says.
    @Test(arguments: [UInt64](1...3)) func `no message of a peer ends a node`(seed: UInt64) {
        var random = RandomMessages(seed: seed)
        let names = ["a", "b", "node-1"].map { NodeName($0)! }
        var configuration = ReplicationConfiguration(name: names[0], clusterID: "c", members: names)
        configuration.setWindow(3_000_000)
        let empty = StoredState(
            closed: ChainPoint(through: Timestamp(.min), digest: .zero), bound: Timestamp(.min), agreed: Timestamp(.min)
        )
        var machine = Replicator(
            configuration: configuration, state: empty, now: Instant(wall: Timestamp(1_000_000_000), uptime: 0))
        let hello = Hello(
            clusterID: "c", members: configuration.members, window: configuration.window, markets: [])
        var uptime: Int64 = 0
        func now() -> Instant { Instant(wall: Timestamp(1_000_000_000 + uptime), uptime: uptime) }
        for _ in 0..<2_000 {
            for event in [
                Event.connected(names[1]), .received(.hello(hello), from: names[1]),
                .received(random.next(), from: names[1]), .tick, .disconnected(names[1]),
            ] {
                uptime += 3_000
                _ = machine.handle(event, now: now())
            }
        }
    }
}
