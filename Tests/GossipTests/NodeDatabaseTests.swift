import Gossip
import OrderBook
import Postgres
import Replication
import Store
import TestSupport
import Testing

/// The machine's words and the database's rows.
@Suite struct NodeDatabaseTests {
    private let a: NodeName
    private let b: NodeName
    private let node: ClusterNode
    private let configuration: ConnectionConfiguration

    init() throws {
        (a, b) = (try #require(NodeName("a")), try #require(NodeName("b")))
        let database = try TestDatabase()
        try database.addMarket("M", tick: "1", lot: "1")
        let connection = try database.connection(as: .node)
        try connection.createCluster(id: "test", node: "a", members: ["a", "b"], window: 2_000_000)
        try connection.write([.admit(true, because: nil)])
        configuration = try database.configuration(as: .node)
        node = ClusterNode(name: "a", database: database, connection: connection)
    }

    private func item(_ number: Int64, at stamp: Int64, _ id: UInt64, isUnconfirmed: Bool = false) -> LogItem {
        LogItem(
            number: number,
            command: LoggedItem.order(number, from: "b", at: stamp, id: OrderID(high: 0, low: id)).command,
            isUnconfirmed: isUnconfirmed)
    }

    @Test func `a node reads what it wrote when it starts again`() throws {
        var database = try #require(try NodeDatabase(claiming: node.connection, configuration))
        let configuration = try database.configuration()
        #expect(configuration.name == a && configuration.peers == [b] && configuration.window == 2_000_000)
        _ = try database.stored(enteredMax: 10)
        try node.place()
        let unstamped = try node.place()
        var own = try database.entered(max: 1)[0]
        own.time = Timestamp(4_000)
        let point = ChainPoint(through: Timestamp(2_000), digest: Digest((1, 2, 3, 4)))
        let duplicates = try database.write([
            .number([JudgedItem(LogItem(number: 1, command: own), .accepted)]),
            .store([
                JudgedItem(item(1, at: 1_000, 1), .accepted), JudgedItem(item(2, at: 2_500, 2), .late),
                JudgedItem(item(4, at: 3_000, 4, isUnconfirmed: true), .unconfirmed),
                JudgedItem(item(5, at: 5_000, 5), .accepted),
            ]),
            .refuse([LogRange(origin: b, numbers: 5...5)], .duplicate),
            .propose([Proposal(command: item(0, at: 0, 9).command)], from: b), .close(point),
            .bound(Timestamp(8_000)), .agreed(Timestamp(1_000)),
        ])
        #expect(duplicates == [])
        let state = try database.stored(enteredMax: 10)
        #expect(state.closed == point && state.bound == Timestamp(8_000) && state.agreed == Timestamp(1_000))
        #expect(
            state.logs == [
                StoredState.Log(origin: a, stored: [1...1], lastStamp: Timestamp(4_000)),
                StoredState.Log(origin: b, stored: [1...2, 4...5], lastStamp: Timestamp(5_000)),
            ])
        #expect(state.waiting == [LogItem(number: 1, command: own)])
        #expect(state.entered.map(\.id) == [unstamped])
        #expect(state.proposals[b]?.map(\.command.id) == [OrderID(high: 0, low: 9)])
        // What was given with the state does not come again.
        #expect(try database.entered(max: 10).isEmpty)
        let all = [LogRange(origin: b, numbers: 1...9)]
        #expect(try database.items(all, max: 9).items.map(\.verdict) == [.accepted, .late, .unconfirmed, .duplicate])
        #expect(try database.items(all, max: 4).isComplete)
        let some = try database.items(all, max: 3)
        #expect(some.items.map(\.item.number) == [1, 2, 4] && !some.isComplete)
    }

    @Test func `positions that differ are told from those that are equal and those that are not reached`() throws {
        let database = try #require(try NodeDatabase(claiming: node.connection, configuration))
        try node.database.connection().execute(
            """
            INSERT INTO pgbook_data.outcomes (market, id, seq, code, filled, remaining, dropped, notional, digest_head)
            SELECT 1, gen_random_uuid(), n, 6, 0, 0, 0, 0, 100 + n FROM generate_series(1, 3) n
            """)
        func position(_ seq: Int64, _ head: Int64) -> MarketPosition {
            MarketPosition(market: "M", seq: Seq(seq), digestHead: head)
        }
        let compared = try database.compare([position(2, 102), position(3, 999), position(4, 104)])
        #expect(compared.equal == [position(2, 102)])
        #expect(compared.differing == [position(3, 103)])
    }

    @Test func `a database that is alone has no sidecar, and one of a cluster has one`() throws {
        let alone = try TestDatabase()
        #expect(throws: StoreError.self) { try NodeDatabase(claiming: alone.connection(as: .node), alone.configuration(as: .node)) }
        let first = try NodeDatabase(claiming: node.connection, configuration)
        #expect(first != nil)
        let second = try NodeDatabase(claiming: node.database.connection(as: .node), configuration)
        #expect(second == nil)
    }
}
