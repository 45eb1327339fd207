import Exchange
import Logging
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// While somebody keeps an old snapshot nothing that was updated or deleted since can be removed. What a batch reads must
/// not grow with it.
@Suite struct HeldSnapshotTests {
    private func place(_ side: Side, _ amount: Int128, at price: Int128, user: String) -> Entry {
        Entry(
            user: UserID(user), market: "TEST",
            action: .place(PlaceEntry(side: side, amount: whole(amount), price: whole(price))))
    }

    /// Buffers that a query touches.
    private func buffers(_ connection: Connection, _ query: String) throws -> Int64 {
        let plan: String = try connection.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT TEXT) \(query)")
            .map { try $0.decode(String.self, at: 0) }.joined(separator: "\n")
        let line = try #require(plan.split(separator: "\n").first { $0.contains("Buffers: shared hit=") }, "\(plan)")
        let digits = line.split(separator: "hit=", maxSplits: 1)[1].prefix { $0.isNumber }
        return try #require(Int64(digits))
    }

    private func hold(_ desk: Desk) throws -> Connection {
        let reader = try desk.database.connection(as: .reader)
        try reader.executeSimple("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pgbook.markets")
        return reader
    }

    @Test func `the state of a market is reached without a look at older versions of it`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(desk.connection)
        let reader = try hold(desk)
        for number in 0..<600 {
            _ = exchange.submit([place(number.isMultiple(of: 2) ? .ask : .bid, 1, at: 100, user: "ann")])
        }
        #expect(exchange.finish().count == 1)
        #expect(try desk.number("SELECT seq FROM pgbook.markets") == 600)
        let newest = try buffers(desk.connection, "SELECT seq FROM pgbook_data.newest_state WHERE market = 1")
        #expect(newest < 30, "\(newest) pages")
        // The statement that begins each batch.
        let moving = try buffers(
            desk.connection,
            "UPDATE pgbook_data.market_state SET trade_id = trade_id WHERE market = 1 AND seq = 600")
        #expect(moving < 40, "\(moving) pages")
        try reader.executeSimple("ROLLBACK")
        #expect(try desk.verify().differences == [])
    }

    @Test func `an order that is filled bit by bit, and the minute that runs, are where they were put`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(desk.connection)
        let reader = try hold(desk)
        _ = exchange.submit([place(.ask, 10_000, at: 100, user: "bob")])
        for _ in 0..<400 { _ = exchange.submit([place(.bid, 1, at: 100, user: "ann")]) }
        #expect(try exchange.finish().flatMap { try $0.results.map(\.execution?.outcome.code) } == [.filled])
        try reader.executeSimple("ROLLBACK")
        #expect(try desk.verify().differences == [])
        #expect(try desk.number("SELECT filled::bigint FROM pgbook.orders WHERE user_id = 'bob'") == 400)
    }

    @Test func `a place that does not hold any more is found out, and the batch runs again`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(try desk.database.connection(as: .node))
        let run = { (entries: [Entry]) in
            try (exchange.submit(entries) + exchange.finish()).flatMap { try $0.results.map(\.execution?.outcome.code) }
        }
        #expect(try run([place(.ask, 100, at: 100, user: "bob")]) == [.open])
        #expect(try run([place(.bid, 1, at: 100, user: "ann")]) == [.filled])
        #expect(try run([place(.bid, 1, at: 100, user: "ann")]) == [.filled])
        // Somebody else moves both rows: an order from psql, and a correction of the candle.
        try desk.place(.bid, 1, at: 100, user: "eve")
        try desk.match()
        #expect(try run([place(.bid, 1, at: 100, user: "ann")]) == [.filled])
        try desk.database.connection().executeSimple(
            """
            UPDATE pgbook_data.candles_1m SET close = close;
            UPDATE pgbook_data.book SET filled = filled;
            """)
        #expect(try run([place(.bid, 1, at: 100, user: "ann")]) == [.filled])
        #expect(try desk.verify().differences == [])
        #expect(try desk.verify().trades == 5)
    }

    @Test func `what left the inbox is not walked through again, and nothing that comes late is missed`() async throws {
        let desk = try Desk()
        let reader = try hold(desk)
        // Entered before everything else, and committed after.
        let late = try desk.database.connection(as: .node)
        try late.executeSimple("BEGIN")
        let id = try Desk(database: desk.database, connection: late, market: desk.market).place(.bid, 1, at: 50)
        let database = try desk.database.configuration(as: .node)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await Matcher(.init(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
                    .run(database: database)
            }
            // Until the matcher has given up waiting for that transaction, and long after.
            let end = ContinuousClock.now + .milliseconds(2_500)
            while ContinuousClock.now < end {
                let other = try desk.place(.bid, 1, at: 60)
                try await eventually("an order is executed") { try desk.code(other) == "open" }
            }
            try late.executeSimple("COMMIT")
            try await eventually("the late order is executed") { try desk.code(id) == "open" }
            group.cancelAll()
        }
        try reader.executeSimple("ROLLBACK")
        #expect(try desk.verify().differences == [])
    }
}
