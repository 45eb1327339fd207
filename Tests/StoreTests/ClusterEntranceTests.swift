import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// Commands that enter at a node of a cluster.
@Suite struct ClusterEntranceTests {
    private func rejection(_ body: () throws -> Void) -> Rejection? {
        do { try body() } catch { return error as? Rejection }
        return nil
    }

    @Test func `a command waits in the outbox for its stamp, not in the inbox`() throws {
        let node = try ClusterNode("a")
        let id = try node.place()
        #expect(try node.number("SELECT count(*) FROM pgbook_data.outbox") == 1)
        #expect(try node.number("SELECT count(*) FROM pgbook_data.inbox") == 0)
        #expect(try node.status(id) == "pending")
    }

    @Test func `a node that is not ready refuses and says why, but answers a retry as it did the first time`() throws {
        let node = try ClusterNode("a")
        let first = try node.place(clientOrderID: "mine")
        try node.connection.write([.admit(false, because: "it has lost its peers")])
        let refused = rejection { try node.place() }
        #expect(refused?.code == .notReady)
        #expect(refused?.message == "this node takes no commands now: it has lost its peers")
        #expect(try node.place(clientOrderID: "mine") == first)
        #expect(rejection { try node.place(.bid, 2, clientOrderID: "mine") }?.code == .notReady)
        try node.connection.write([.admit(true, because: nil)])
        #expect(rejection { try node.place(.bid, 2, clientOrderID: "mine") }?.code == .duplicate)
    }

    @Test func `from psql too a refusal of the node has its code`() throws {
        let node = try ClusterNode("a", admits: false)
        let error = #expect(throws: PostgresError.self) {
            try node.connection.execute("SELECT pgbook.place_order('M', 'bid', 1, 100)")
        }
        #expect(error?.sqlState == SQLState("PB120"))
        #expect(
            error?.message.hasPrefix("not_ready: this node takes no commands now: its sidecar has not begun") == true)
    }

    @Test func `a node whose sidecar is silent takes no more commands`() throws {
        let node = try ClusterNode("a")
        try node.database.connection().execute(
            "UPDATE pgbook_data.cluster SET heard_at = clock_timestamp() - interval '31 seconds'")
        #expect(rejection { try node.place() }?.message.contains("its sidecar was last heard of") == true)
        try node.connection.write([.heard])
        try node.place()
    }

    @Test func `a client order id that came by another node is taken here too`() throws {
        let node = try ClusterNode("a")
        let id = OrderID(high: 7, low: 7)
        try node.connection.write([
            .store([.order(1, from: "b", at: 1_000, id: id, user: "ann", clientOrderID: "mine")])
        ])
        #expect(try node.place(clientOrderID: "mine") == id)
        #expect(rejection { try node.place(.bid, 2, clientOrderID: "mine") }?.code == .duplicate)
    }

    @Test func `what was entered before the database joined its cluster waits for its stamp too`() throws {
        let database = try TestDatabase()
        try database.addMarket("M", tick: "1", lot: "1")
        let connection = try database.connection(as: .node)
        let id = try #require(
            try connection.execute("SELECT pgbook.place_order('M', 'bid', 1, 100)").first?.decode(
                PostgresUUID.self, at: 0))
        try connection.createCluster(id: "test", node: "a", members: ["a", "b"], window: 1)
        var reader = OutboxReader()
        #expect(try reader.next(connection, max: 10).map(\.id) == [OrderID(high: id.high, low: id.low)])
        #expect(try connection.execute("SELECT FROM pgbook_data.inbox").isEmpty)
    }

    @Test func `a cluster takes no imported history`() throws {
        let node = try ClusterNode("a")
        let error = #expect(throws: PostgresError.self) {
            try node.connection.markImported(try node.connection.markets()[0].number)
        }
        #expect(error?.message.contains("a node of the cluster test") == true)
    }
}

/// Reading what has entered.
@Suite struct OutboxTests {
    @Test func `each command is read once, in the order in which it entered`() throws {
        let node = try ClusterNode("a")
        let ids = try (0..<7).map { _ in try node.place() }
        var reader = OutboxReader()
        #expect(try reader.next(node.connection, max: 3).map(\.id) == Array(ids[..<3]))
        let late = try node.place()
        #expect(try reader.next(node.connection, max: 3).map(\.id) == Array(ids[3..<6]))
        #expect(try reader.next(node.connection, max: 3).map(\.id) == [ids[6], late])
        #expect(try reader.next(node.connection, max: 3).isEmpty)
        var again = OutboxReader()
        #expect(try again.next(node.connection, max: 100).count == 8)
    }

    @Test func `what a slow transaction commits late is read when it is there, and stamped after that`() throws {
        let node = try ClusterNode("a")
        let slow = try node.database.connection(as: .trader)
        try slow.executeSimple("BEGIN")
        try slow.execute("SELECT pgbook.place_order('M', 'bid', 1, 100)")
        let fast = try node.place()
        var reader = OutboxReader()
        #expect(try node.number(&reader, from: 1, at: 5_000).map(\.command.id) == [fast])
        #expect(try reader.next(node.connection, max: 10).isEmpty)
        try slow.executeSimple("COMMIT")
        let items = try node.number(&reader, from: 2, at: 9_000)
        #expect(items.map(\.command.time) == [Timestamp(9_000)])
        #expect(
            try node.rows("SELECT number, verdict FROM pgbook_data.node_log ORDER BY number") == ["(1,0)", "(2,0)"])
    }

    @Test func `a sleeping sidecar is woken, one that is awake makes no commit wait`() async throws {
        let node = try ClusterNode("a")
        try node.connection.listenForEntered()
        try node.place()
        #expect(try node.connection.waitForCommands(.zero) == false)
        #expect(try node.connection.sleepAtOutbox() == [])
        try node.database.connection(as: .node).execute("SELECT pgbook.place_order('M', 'bid', 1, 100)")
        #expect(try node.connection.waitForCommands(.seconds(10)))
    }
}
