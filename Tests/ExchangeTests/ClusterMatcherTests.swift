import Logging
import OrderBook
import Postgres
import Store
import Synchronization
import TestSupport
import Testing

@testable import Exchange

/// The matcher of a node of a cluster, beside what its sidecar does.
@Suite struct ClusterMatcherTests {
    private func id(_ number: UInt64) -> OrderID { OrderID(high: 0, low: number) }

    private func beside(_ node: ClusterNode, _ body: () async throws -> Void) async throws {
        let database = try node.database.configuration(as: .node)
        var limits = ExchangeLimits()
        // Nothing here may depend on a poll.
        limits.pollInterval = .seconds(60)
        let matcher = Matcher(
            Matcher.Configuration(limits: limits), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await matcher.run(database: database) }
            try await body()
            group.cancelAll()
        }
    }

    @Test func `a matcher that sleeps is woken when pools are closed, and executes those alone`() async throws {
        let node = try ClusterNode("a")
        try await beside(node) {
            for round in 1...3 {
                try await eventually("the matcher sleeps") {
                    try node.number(
                        """
                        SELECT coalesce(pg_sequence_last_value('pgbook_data.inbox_sleeper'), 0)
                        """) == 1
                }
                let stamp = Int64(round) * 1_000
                try node.connection.write([
                    .store([
                        .order(Int64(2 * round - 1), from: "b", at: stamp, id: id(UInt64(stamp))),
                        .order(Int64(2 * round), from: "b", at: stamp + 600, id: id(UInt64(stamp + 600))),
                    ])
                ])
                try node.connection.write([.close(Timestamp(stamp + 500), chain: nil)])
                try await eventually("it is executed") { try node.status(id(UInt64(stamp))) == "open" }
                #expect(try node.status(id(UInt64(stamp + 600))) == "pending")
            }
        }
    }

    @Test func `an overdue order of a quiet market is let go by a command that waits for its stamp, once`() async throws
    {
        let node = try ClusterNode("a")
        var item = LoggedItem.order(1, from: "b", at: 1_000, id: id(1))
        item.command.action = .place(
            Place(
                side: .bid, price: PriceTicks(100), amount: AmountLots(1), timeInForce: .gtd(expires: Timestamp(2_000)))
        )
        try node.connection.write([.store([item]), .close(Timestamp(1_500), chain: nil)])
        var reader = OutboxReader()
        try await beside(node) {
            try await eventually("an expire command") {
                try node.number("SELECT count(*) FROM pgbook_data.outbox") == 1
            }
            let expire = try node.number(&reader, from: 1, at: 9_000)
            #expect(expire.map(\.command.action) == [.expire])
            try node.connection.write([.close(Timestamp(9_500), chain: nil)])
            try await eventually("it has gone") { try node.status(id(1)) == "expired" }
        }
        #expect(try node.number("SELECT count(*) FROM pgbook_data.commands") == 2)
        #expect(try node.verify() == [])
    }

    @Test func `nodes take turns at it, and none asks again before it must`() {
        let expiry = Timestamp(1_000_000)
        let market = MarketNumber(rawValue: 1)
        func cluster(_ rank: Int) -> DueMarkets.Cluster {
            DueMarkets.Cluster(closedThrough: Timestamp(0), rank: rank, window: 3_000_000)
        }
        var entries = ExpiryEntries()
        #expect(entries.moment(for: expiry, of: market, in: nil) == expiry)
        #expect(entries.moment(for: expiry, of: market, in: cluster(0)) == expiry)
        #expect(entries.moment(for: expiry, of: market, in: cluster(2)) == Timestamp(9_000_000))
        entries.entered(expiry, of: market, at: Timestamp(1_200_000))
        #expect(entries.moment(for: expiry, of: market, in: cluster(0)) == Timestamp(9_200_000))
        let next = Timestamp(1_500_000)
        #expect(entries.moment(for: next, of: market, in: cluster(0)) == next)
    }

    @Test func `a state goes from one database to another without either waiting on the pool`() async throws {
        let (source, target) = (try ClusterNode("b"), try ClusterNode("a"))
        try source.connection.write([
            .store((1...2_000).map { .order($0, from: "c", at: $0, id: id(UInt64($0))) }),
            .close(Timestamp(500), chain: nil),
        ])
        try source.execute()
        let parts = AsyncThrowingStream<[UInt8], any Error>.makeStream()
        let database = try source.database.configuration(as: .node)
        try await database.giveState { parts.continuation.yield($0) }
        parts.continuation.finish()
        let changed = try await target.database.configuration(as: .node).takeState(from: "b", parts.stream)
        #expect(changed == 0)
        try target.expectSame(as: source)
        // A receiver that wants no more ends it; a giver that breaks off changes nothing.
        struct Enough: Error {}
        await #expect(throws: Enough.self) { try await database.giveState { _ in throw Enough() } }
        let before = try target.rows("SELECT * FROM pgbook.cluster")
        let broken = AsyncThrowingStream<[UInt8], any Error> { $0.finish(throwing: Enough()) }
        await #expect(throws: (any Error).self) {
            try await target.database.configuration(as: .node).takeState(from: "b", broken)
        }
        #expect(try target.rows("SELECT * FROM pgbook.cluster") == before)
    }
}
