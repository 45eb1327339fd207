import Exchange
import Logging
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

@Suite struct MatcherTests {
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func matcher(window: Duration = .zero, pollInterval: Duration? = nil) -> Matcher {
        var limits = ExchangeLimits()
        if let pollInterval { limits.pollInterval = pollInterval }
        limits.commandsPerBatchMax = 50
        return Matcher(Matcher.Configuration(window: window, limits: limits), logger: quiet)
    }

    /// Runs a body beside matchers, and stops them.
    private func beside(
        _ matchers: [Matcher], _ desk: borrowing Desk, _ body: () async throws -> Void
    ) async throws {
        let database = try desk.database.configuration(as: .node)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for matcher in matchers { group.addTask { await matcher.run(database: database) } }
            try await body()
            group.cancelAll()
        }
    }

    private func isIdle(_ desk: Desk) throws -> Bool {
        try desk.number("SELECT count(*) FROM pgbook_data.inbox") == 0
    }

    @Test func `a matcher is woken by each new command`() async throws {
        let desk = try Desk()
        try await beside([matcher()], desk) {
            let ids = try (1...5).map { try desk.place(.bid, 1, at: Int128(90 + $0)) }
            try await eventually("all are open") { try ids.allSatisfy { try desk.code($0) == "open" } }
        }
    }

    @Test func `a command is announced while a matcher sleeps, and not while none does`() throws {
        let desk = try Desk()
        let listener = try desk.database.connection()
        try listener.listen("pgbook_orders")
        try desk.place(.bid, 1, at: 90)
        try listener.execute("SELECT 1")
        #expect(listener.nextNotification() == nil)
        let sleeper = try desk.database.connection(as: .node)
        #expect(try sleeper.fallAsleep() == [])
        try desk.place(.bid, 1, at: 90)
        #expect(try listener.waitForNotification(timeout: .seconds(10))?.channel == "pgbook_orders")
        try sleeper.stayAwake()
        try desk.place(.bid, 1, at: 90)
        try listener.execute("SELECT 1")
        #expect(listener.nextNotification() == nil)
    }

    @Test func `a matcher that falls asleep is told who was just entering a command, until that has ended`() throws {
        let desk = try Desk()
        let client = try desk.database.connection(as: .node)
        try client.executeSimple("BEGIN; SELECT pgbook.place_order('TEST', 'bid', 1, 90)")
        let matcher = try desk.database.connection(as: .node)
        let running = try matcher.fallAsleep()
        #expect(running.count == 1)
        #expect(try matcher.stillRunning(running) == running)
        // Whoever comes now announces what it enters, though another transaction stays open.
        try matcher.listenForCommands()
        try desk.place(.bid, 1, at: 90)
        #expect(try matcher.waitForCommands(.seconds(10)))
        try client.executeSimple("COMMIT")
        #expect(try matcher.stillRunning(running) == [])
    }

    @Test func `an order of a transaction that was open when the matcher fell asleep is found soon after its commit`()
        async throws
    {
        let desk = try Desk()
        let client = try desk.database.connection(as: .node)
        try client.executeSimple("BEGIN; SELECT pgbook.place_order('TEST', 'bid', 1, 90)")
        try await beside([matcher(pollInterval: .seconds(600))], desk) {
            try await eventually("the matcher is asleep") { try desk.connection.isAwaited() }
            try client.executeSimple("COMMIT")
            try await eventually("it is executed") { try isIdle(desk) }
        }
    }

    @Test func `two matchers on one database execute each command once`() async throws {
        let desk = try Desk()
        try desk.database.addMarket("OTHER", tick: "1", lot: "1")
        let seed = UInt64.random(in: 0 ... .max)
        let url = desk.database
        try await beside([matcher(), matcher()], desk) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<4 {
                    group.addTask {
                        let session = try url.session(as: .node)
                        try await session.run { connection in
                            let other = Desk(
                                database: url, connection: connection, market: try connection.markets()[client % 2])
                            var flow = RandomFlow(seed: seed &+ UInt64(client))
                            for _ in 0..<150 { flow.give(to: other) }
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await eventually("the inbox is empty") { try isIdle(desk) }
        }
        for market in try desk.connection.markets() {
            let report = try Verification(desk.connection).run(market)
            #expect(report.differences == [], "seed \(seed)")
            #expect(report.commands > 100, "seed \(seed)")
        }
    }

    @Test func `with a window nothing runs before its time`() async throws {
        let desk = try Desk()
        try await beside([matcher(window: .milliseconds(300))], desk) {
            try desk.place(.bid, 1, at: 100)
            try desk.place(.ask, 1, at: 100)
            try await eventually("both are executed") { try isIdle(desk) }
        }
        #expect(
            try desk.number(
                "SELECT count(*) FROM pgbook.commands WHERE executed_at - time >= interval '300 ms'") == 2)
    }

    @Test func `with a window more commands than fit a batch are not late`() async throws {
        let desk = try Desk()
        try await beside([matcher(window: .milliseconds(200))], desk) {
            let entry = Entry(
                user: UserID("ann"), market: desk.market.symbol,
                action: .place(PlaceEntry(side: .bid, amount: whole(1), price: whole(100))))
            _ = try desk.connection.enter(Array(repeating: entry, count: 180))
            try await eventually("all are executed") { try isIdle(desk) }
        }
        #expect(try desk.number("SELECT count(*) FROM pgbook.commands WHERE code = 'open'") == 180)
    }

    @Test func `with a window a command is late in a market that was quiet until then, too`() async throws {
        let desk = try Desk()
        let slow = try desk.database.connection(as: .node)
        try await beside([matcher(window: .milliseconds(100))], desk) {
            try slow.executeSimple("BEGIN")
            let id = try Desk(database: desk.database, connection: slow, market: desk.market).place(.bid, 1, at: 100)
            // Another market shows that the matcher has looked at both.
            try desk.database.addMarket("ALSO", tick: "1", lot: "1")
            let other = try #require(try desk.connection.markets().first { $0.symbol == "ALSO" })
            let later = try Desk(database: desk.database, connection: desk.connection, market: other)
                .place(.bid, 1, at: 101)
            try await eventually("the later command is executed") { try desk.code(later) != nil }
            try slow.executeSimple("COMMIT")
            try await eventually("the slow command is executed") { try desk.code(id) != nil }
            #expect(try desk.code(id) == "late")
        }
    }

    @Test func `with a window a command that was on its way for longer is late`() async throws {
        let desk = try Desk()
        let slow = try desk.database.connection(as: .node)
        try slow.executeSimple("BEGIN")
        guard
            case .admitted(let id, _) = try slow.enter([
                Entry(
                    user: UserID("eve"), market: desk.market.symbol,
                    action: .place(PlaceEntry(side: .bid, amount: whole(1), price: whole(100))))
            ])[0]
        else { throw TestFault("refused") }
        try await beside([matcher(window: .milliseconds(100))], desk) {
            let later = try desk.place(.bid, 1, at: 101)
            try await eventually("the later command is executed") { try desk.code(later) != nil }
            try slow.executeSimple("COMMIT")
            try await eventually("the slow command is executed") { try desk.code(id) != nil }
        }
        #expect(try desk.code(id) == "late")
        #expect(try desk.status(id) == "refused 0 0")
        #expect(try desk.verify().differences == [])
    }

    @Test func `a gtd order expires in a quiet market`() async throws {
        let desk = try Desk()
        let now = try desk.number("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        try await beside([matcher()], desk) {
            let id = try desk.place(.bid, 1, at: 100, .gtd(expires: Timestamp(now + 400_000)))
            try await eventually("it was executed") { try desk.code(id) != nil }
            #expect(try desk.code(id) == "open")
            try await eventually("it has expired") { try desk.status(id) == "expired 0 0" }
        }
        #expect(try desk.number("SELECT count(*) FROM pgbook_data.book") == 0)
        #expect(try desk.verify().differences == [])
    }

    @Test func `a market that cannot be matched does not keep the others waiting`() async throws {
        let desk = try Desk()
        try desk.database.addMarket("ALSO", tick: "1", lot: "1")
        let other = try #require(try desk.connection.markets().first { $0.symbol == "ALSO" })
        let bad = try desk.place(.bid, 1, at: 100)
        // No matcher can read this: no such time in force.
        try desk.database.connection().executeSimple(
            "UPDATE pgbook_data.commands SET tif = 9")
        let sound = Desk(database: desk.database, connection: desk.connection, market: other)
        try await beside([matcher()], desk) {
            for _ in 0..<3 {
                let id = try sound.place(.bid, 1, at: 100)
                try await eventually("it is open") { try sound.code(id) == "open" }
            }
        }
        #expect(try desk.code(bad) == "unreadable")
        #expect(try desk.number("SELECT count(*) FROM pgbook_data.inbox") == 0)
    }

    @Test func `a matcher survives its connection`() async throws {
        let desk = try Desk()
        try await beside([matcher()], desk) {
            for price: Int128 in 101...105 {
                let id = try desk.place(.ask, 1, at: price)
                try await eventually("it is open") { try desk.code(id) == "open" }
                try desk.database.connection().execute(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid NOT IN (pg_backend_pid(), $1)
                    """, desk.connection.serverProcessID)
            }
            let last = try desk.place(.ask, 1, at: 106)
            try await eventually("the last one is open") { try desk.code(last) == "open" }
        }
        #expect(try desk.verify().differences == [])
    }

    @Test func `a halted market refuses orders and takes cancels`() throws {
        let desk = try Desk()
        let resting = try desk.place(.ask, 1, at: 100)
        let halt = try desk.enter(.halt)
        // Entered before the halt was executed, so the book refuses it.
        let caught = try desk.place(.ask, 1, at: 100)
        try desk.match()
        #expect(try desk.code(halt) == "done")
        #expect(try desk.code(caught) == "halted")
        let refused = #expect(throws: Rejection.self) { try desk.place(.ask, 1, at: 100) }
        #expect(refused?.code == .halted)
        let cancel = try desk.enter(.cancel(target: resting))
        try desk.enter(.resume)
        try desk.match()
        #expect(try desk.code(cancel) == "cancelled")
        let after = try desk.place(.ask, 1, at: 100)
        try desk.match()
        #expect(try desk.code(after) == "open")
        #expect(try desk.verify().differences == [])
    }
}
