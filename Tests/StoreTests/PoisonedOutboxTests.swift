import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// Of a node of a cluster: what cannot be read is refused before any node hears of it, or refused by all alike.
@Suite struct PoisonedOutboxTests {
    @Test func `a command in the outbox that cannot be read is refused, and those behind it get their stamps`() throws {
        let node = try ClusterNode("a")
        let first = try node.place(.bid, 1)
        let poison = try node.place(.bid, 2)
        let second = try node.place(.bid, 3)
        let owner = try node.database.connection()
        try owner.executeSimple("SET session_replication_role = replica")
        try owner.executeSimple("UPDATE pgbook_data.commands SET side = 7 WHERE id = '\(poison)'")
        var outbox = OutboxReader()
        let read = try outbox.next(node.connection, max: 10)
        #expect(read.map(\.id) == [first, second])
        #expect(try node.connection.commandStates([poison]).map(\.code) == [.unreadable])
        let left = try owner.execute("SELECT count(*) FROM pgbook_data.outbox").one().decode(Int64.self, at: 0)
        #expect(left == 2)
    }
}
