import Exchange
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

@Suite struct WaitingPoolTests {
    /// A command with a stamp of the test's own, as a peer's would come.
    private func insert(_ desk: Desk, id: OrderID, time: Int64, price: Int64, user: String) throws {
        let admin = try desk.database.connection()
        let uuid = PostgresUUID(high: id.high, low: id.low)
        let stamp = PostgresTimestamp(microsecondsSinceUnixEpoch: time)
        try admin.execute(
            """
            INSERT INTO pgbook_data.commands
                (id, time, market, kind, side, exec_type, tif, post_only, amount, price, user_id, origin)
            VALUES ($1, $2, $3, 1, 0, 1, 0, false, 1, $4, $5, 'peer')
            """, uuid, stamp, desk.market.number.rawValue, price, user)
        try admin.execute(
            "INSERT INTO pgbook_data.inbox (time, id, market) VALUES ($1, $2, $3)", stamp, uuid,
            desk.market.number.rawValue)
    }

    private func order(_ number: UInt64) -> OrderID { OrderID(high: 0, low: number) }

    private func executed(_ desk: Desk) throws -> [UInt64] {
        try desk.connection.execute("SELECT id FROM pgbook_data.outcomes ORDER BY seq").map {
            try $0.decode(PostgresUUID.self, at: 0).low
        }
    }

    @Test func `pools run by timestamp, and inside a pool by the bytes of the whole command`() throws {
        let desk = try Desk()
        // Keys are sorted, so amounts and clients being equal the id decides; the last one has the earliest stamp.
        try insert(desk, id: order(3), time: 2_000, price: 100, user: "ann")
        try insert(desk, id: order(1), time: 2_000, price: 100, user: "zoe")
        try insert(desk, id: order(2), time: 2_000, price: 100, user: "bob")
        try insert(desk, id: order(9), time: 1_000, price: 100, user: "ann")
        #expect(try desk.match() == 4)
        #expect(try executed(desk) == [9, 1, 2, 3])
    }

    @Test func `a pool is never split between batches`() throws {
        var desk = try Desk()
        desk.limits.commandsPerBatchMax = 1
        for number in (1...5).reversed() {
            try insert(desk, id: order(UInt64(number)), time: 2_000, price: 100, user: "ann")
        }
        #expect(try desk.batch().run()?.commands == 5)
        #expect(try executed(desk) == [1, 2, 3, 4, 5])
    }

    @Test func `nothing runs before its time`() throws {
        let desk = try Desk()
        try insert(desk, id: order(1), time: 1_000, price: 100, user: "ann")
        try insert(desk, id: order(2), time: 2_000, price: 100, user: "ann")
        let due = MatchingBatch.Due(cutoff: Timestamp(1_999), closedThrough: Timestamp(0))
        #expect(try desk.match(due) == 1)
        #expect(try executed(desk) == [1])
        #expect(try desk.match(MatchingBatch.Due(cutoff: Timestamp(2_000), closedThrough: Timestamp(0))) == 1)
    }

    @Test func `a command that shows up below a closed pool is late, and takes no part`() throws {
        let desk = try Desk()
        try insert(desk, id: order(1), time: 5_000, price: 100, user: "ann")
        let due = MatchingBatch.Due(cutoff: Timestamp(6_000), closedThrough: Timestamp(.min))
        #expect(try desk.match(due) == 1)
        try insert(desk, id: order(2), time: 5_500, price: 100, user: "ann")
        try insert(desk, id: order(3), time: 6_500, price: 100, user: "ann")
        let next = MatchingBatch.Due(cutoff: Timestamp(7_000), closedThrough: Timestamp(.min))
        #expect(try desk.match(next) == 2)
        #expect(try desk.code(order(1)) == "open")
        #expect(try desk.code(order(2)) == "late")
        #expect(try desk.code(order(3)) == "open")
        #expect(try desk.verify().differences == [])
    }

    @Test func `without a window a command that shows up later runs then, and is not late`() throws {
        let desk = try Desk()
        try insert(desk, id: order(1), time: 5_000, price: 100, user: "ann")
        #expect(try desk.match() == 1)
        try insert(desk, id: order(2), time: 4_000, price: 100, user: "ann")
        #expect(try desk.match() == 1)
        #expect(try desk.code(order(2)) == "open")
        #expect(try desk.verify().differences == [])
    }
}
