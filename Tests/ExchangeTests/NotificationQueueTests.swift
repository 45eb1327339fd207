import Exchange
import Foundation
import Logging
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// Whoever listens and never looks fills the queue of notifications, which is everybody's. Hints are lost then, and
/// nothing else.
@Suite(.enabled(if: TestServer.programs != nil, "left out: PGBOOK_TEST_POSTGRES_BIN names no programs"))
struct NotificationQueueTests {
    private let server: PrivateServer

    init() throws {
        // Its queue is as small as can be.
        server = try PrivateServer()
        try server.connection().executeSimple("ALTER SYSTEM SET max_notify_queue_pages = 64")
        try server.stop()
        try server.start()
    }

    private func place(_ side: Side, at price: Int128) -> Entry {
        Entry(
            user: UserID("ann"), market: "TEST",
            action: .place(PlaceEntry(side: side, amount: whole(1), price: whole(price))))
    }

    @Test func `a full queue of notifications costs hints and no order`() async throws {
        let admin = try server.connection()
        try Migrator(admin).migrate()
        try admin.executeSimple("SELECT pgbook.add_market('TEST', 1, 1)")
        let exchange = try DirectExchange(try server.connection())
        let run = { (entries: [Entry]) in
            try (exchange.submit(entries) + exchange.finish()).flatMap { try $0.results.map(\.execution?.outcome.code) }
        }
        #expect(try run([place(.ask, at: 100)]) == [.open])

        let deaf = try server.connection()
        try deaf.executeSimple("LISTEN anything")
        // In a transaction nobody reads what it hears.
        try deaf.executeSimple("BEGIN; SELECT 1")
        var isFull = false
        for _ in 0..<200 where !isFull {
            do {
                try admin.execute("SELECT pg_notify('other', repeat('x', 7900))")
            } catch {
                #expect(error.message.contains("too many notifications"))
                isFull = true
            }
        }
        #expect(isFull)
        #expect(throws: PostgresError.self) { try admin.executeSimple("NOTIFY pgbook_orders") }

        // By the direct road, whose commits announce what moved.
        for _ in 0..<5 {
            #expect(try run([place(.bid, at: 100)]) != [nil])
            try exchange.announce()
        }
        // By SQL, beside a matcher that nobody can wake.
        let matcher = Matcher(.init(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let configuration = ConnectionConfiguration(server.url())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await matcher.run(database: configuration) }
            for price in 1...5 {
                let id: String = try admin.execute(
                    "SELECT pgbook.place_order('TEST', 'bid', 1, $1)::text", Int64(price)
                )
                .one().decode(at: 0)
                try await eventually("an order from SQL is executed", within: .seconds(3)) {
                    try admin.execute("SELECT FROM pgbook.orders WHERE id::text = $1 AND status = 'open'", id).count
                        == 1
                }
            }
            group.cancelAll()
        }
        try deaf.executeSimple("ROLLBACK")
    }
}
