import Gossip
import OrderBook
import Replication
import TestSupport
import Testing

/// A consumer that stands still: what waits stays within its bounds, and all goes on afterwards.
extension MeshSuites {
    @Suite struct SlowPeerTests {
        private var small: MeshLimits {
            var limits = MeshLimits.quick
            limits.frameBytesMax = 20_000
            limits.inboxBytesMax = 80_000
            limits.pushBytesMax = 60_000
            limits.outboxBytesMax = 120_000
            return limits
        }

        private func push(_ number: Int64) -> Message {
            let command = Command(
                id: OrderID(high: 0, low: UInt64(number)), time: Timestamp(number), market: "BTC-USD",
                user: UserID("u"), origin: "a", action: .cancel(OrderID(high: 1, low: 1)))
            return .items(
                Items(
                    reason: .pushed,
                    items: Array(repeating: JudgedItem(LogItem(number: number, command: command), .accepted), count: 20)
                ))
        }

        private func number(_ message: Message) -> Int64? {
            if case .items(let items) = message { items.items.first?.item.number } else { nil }
        }

        @Test func `pushes to a peer that takes nothing are given up, in bounded space, and it recovers`() async throws
        {
            let cluster = try await TestCluster(["a", "b"])
            let (a, b) = (try cluster.node("a", limits: small), try cluster.node("b", limits: small))
            try await cluster.run([a, b]) {
                try await connected(a, b)
                b.standStill(true)
                for number in 1...5_000 as ClosedRange<Int64> {
                    a.mesh.send(push(number), to: b.name)
                    #expect(a.metrics(of: b).outboxBytes <= 60_000)
                }
                #expect(a.metrics(of: b).pushesDropped > 4_000)
                try await eventually("b's inbox is full") { b.metrics(of: a).inboxBytes > 60_000 }
                #expect(b.metrics(of: a).inboxBytes <= 80_000)
                #expect(a.metrics(of: b).connections == 1, "a peer that is slow is not a peer that is gone")

                b.standStill(false)
                try await eventually("what waited goes") { a.metrics(of: b).outboxBytes == 0 }
                a.mesh.send(push(6_000), to: b.name)
                try await eventually("the next comes") { b.messages(from: a).last.flatMap(number) == 6_000 }
                let numbers = b.messages(from: a).compactMap(number)
                #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count)
                #expect(numbers.count + a.metrics(of: b).pushesDropped == 5_001)
                try await eventually("all credit is back") { a.metrics(of: b).credit >= 60_000 }
            }
        }

        @Test func `what may not be given up ends the connection when it is too much`() async throws {
            let cluster = try await TestCluster(["a", "b"])
            let (a, b) = (try cluster.node("a", limits: small), try cluster.node("b", limits: small))
            try await cluster.run([a, b]) {
                try await connected(a, b)
                b.standStill(true)
                let ids = Message.confirm((0..<500).map { OrderID(high: 0, low: $0) })
                while a.refusals(.overflow) == 0 {
                    a.mesh.send(ids, to: b.name)
                    #expect(a.metrics(of: b).outboxBytes <= 120_000)
                }
                b.standStill(false)
                try await eventually("they connect again") {
                    a.events == ["connected b", "disconnected b", "connected b"]
                        && b.events == ["connected a", "disconnected a", "connected a"]
                }
                #expect(a.refusals(.overflow) == 1)
            }
        }

        @Test func `all messages pass, however small the credit`() async throws {
            let cluster = try await TestCluster(["a", "b"])
            let (a, b) = (try cluster.node("a", limits: small), try cluster.node("b", limits: small))
            try await cluster.run([a, b]) {
                try await connected(a, b)
                // Twenty times the credit, never more than the outbox holds.
                let ids = Message.confirm((0..<500).map { OrderID(high: 0, low: $0) })
                for count in 1...200 {
                    a.mesh.send(ids, to: b.name)
                    try await eventually("some are gone") { a.metrics(of: b).outboxBytes < 100_000 }
                    if count == 200 { try await eventually("all came") { b.messages(from: a).count == 200 } }
                }
                #expect(a.metrics(of: b).connections == 1)
            }
        }
    }
}
