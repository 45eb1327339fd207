import Exchange
import History
import Logging
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// What an owner, an older version or a fault may have left in the tables. Constraints hold most of it off; here they are
/// taken away first.
struct BadRow: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// Done as superuser to the command `$1`, which waits.
    var sql: [String]
    var code = "unreadable"
    /// What the reason says.
    var reason: String
}

private let badCommands = [
    BadRow(
        testDescription: "an expiry beyond what can be read",
        sql: ["UPDATE pgbook_data.commands SET tif = 3, expires = '294247-01-10 04:00:54.775808+00' WHERE id = $1"],
        reason: "expires"),
    BadRow(
        testDescription: "an unknown kind", sql: ["UPDATE pgbook_data.commands SET kind = 99 WHERE id = $1"],
        reason: "kind 99"),
    BadRow(
        testDescription: "an unknown side", sql: ["UPDATE pgbook_data.commands SET side = 7 WHERE id = $1"],
        reason: "side 7"),
    BadRow(
        testDescription: "an unknown time in force", sql: ["UPDATE pgbook_data.commands SET tif = 9 WHERE id = $1"],
        reason: "cannot be read"),
    BadRow(
        testDescription: "an unknown self-trade prevention",
        sql: ["UPDATE pgbook_data.commands SET stp = 300 WHERE id = $1"], reason: "prevention 300"),
    BadRow(
        testDescription: "no amount", sql: ["UPDATE pgbook_data.commands SET amount = NULL WHERE id = $1"],
        reason: "cannot be read"),
    BadRow(
        testDescription: "a market order with a price",
        sql: ["UPDATE pgbook_data.commands SET exec_type = 0 WHERE id = $1"], reason: "cannot be read"),
    BadRow(
        testDescription: "an amend of nothing", sql: ["UPDATE pgbook_data.commands SET kind = 2 WHERE id = $1"],
        reason: "cannot be read"),
    BadRow(
        testDescription: "a time beyond what can be read",
        sql: [
            "UPDATE pgbook_data.commands SET time = '294270-01-01' WHERE id = $1",
            "UPDATE pgbook_data.inbox SET time = '294270-01-01' WHERE id = $1",
        ], reason: "time"),
    BadRow(
        testDescription: "another market's command",
        sql: [
            "UPDATE pgbook_data.commands SET market = (SELECT max(market) FROM pgbook_data.markets) WHERE id = $1"
        ], reason: "another market"),
    BadRow(
        testDescription: "a place in the inbox without a command",
        sql: ["DELETE FROM pgbook_data.commands WHERE id = $1"], reason: "the log does not have it"),
    BadRow(
        testDescription: "an order that its table does not take",
        sql: [
            "UPDATE pgbook_data.commands SET user_id = 'poison' WHERE id = $1",
            "ALTER TABLE pgbook_data.book ADD CONSTRAINT no_poison CHECK (user_id <> 'poison')",
        ], code: "unexecutable", reason: "no_poison"),
]

@Suite struct PoisonTests {
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs a body beside a matcher, and stops it.
    private func beside(
        _ matcher: Matcher, _ desk: borrowing Desk, _ body: () async throws -> Void
    ) async throws {
        let database = try desk.database.configuration(as: .node)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await matcher.run(database: database) }
            try await body()
            group.cancelAll()
        }
    }

    private func matcher(batches: Int = 1_000, entrance: DirectEntrance? = nil) -> Matcher {
        var limits = ExchangeLimits()
        limits.commandsPerBatchMax = batches
        return Matcher(Matcher.Configuration(limits: limits), entrance: entrance, logger: quiet)
    }

    /// Takes away what keeps bad rows out of the tables, of which more may be added.
    private func dropConstraints(_ owner: Connection) throws {
        try owner.executeSimple(
            """
            DO $$
            DECLARE c record;
            BEGIN
                FOR c IN SELECT conrelid::regclass AS name, conname FROM pg_constraint
                         WHERE connamespace = 'pgbook_data'::regnamespace AND contype = 'c'
                           AND conrelid IN ('pgbook_data.markets'::regclass, 'pgbook_data.book'::regclass)
                LOOP
                    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.name, c.conname);
                END LOOP;
                FOR c IN SELECT tgrelid::regclass AS name, tgname FROM pg_trigger
                         WHERE NOT tgisinternal AND tgrelid IN ('pgbook_data.commands'::regclass,
                             'pgbook_data.inbox'::regclass, 'pgbook_data.markets'::regclass)
                LOOP
                    EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', c.name, c.tgname);
                END LOOP;
            END $$
            """)
    }

    private func spoil(_ id: OrderID, _ bad: BadRow, _ owner: Connection) throws {
        try dropConstraints(owner)
        for sql in bad.sql { try owner.executeSimple(sql.replacing("$1", with: "'\(id)'")) }
    }

    private func reason(_ id: OrderID, _ desk: Desk) throws -> String? {
        try desk.connection.execute(
            "SELECT code || ': ' || reason FROM pgbook.set_aside WHERE id = $1",
            PostgresUUID(high: id.high, low: id.low)
        ).first?.decode(at: 0)
    }

    @Test(arguments: badCommands)
    func `a command that cannot be executed is set aside, and its neighbours and other markets go on`(
        bad: BadRow
    ) async throws {
        let desk = try Desk()
        try desk.database.addMarket("OTHER", tick: "1", lot: "1")
        let other = Desk(
            database: desk.database, connection: desk.connection,
            market: try #require(try desk.connection.markets().first { $0.symbol == "OTHER" }))
        let first = try desk.place(.bid, 1, at: 90)
        let poison = try desk.place(.bid, 1, at: 91)
        let second = try desk.place(.bid, 1, at: 92)
        let elsewhere = try other.place(.bid, 1, at: 93)
        try spoil(poison, bad, try desk.database.connection())
        let matcher = matcher()
        try await beside(matcher, desk) {
            try await eventually("nothing waits") { try desk.number("SELECT count(*) FROM pgbook_data.inbox") == 0 }
            let later = try desk.place(.ask, 1, at: 92, user: "bob")
            try await eventually("a later order trades") { try desk.code(later) == "filled" }
            #expect(matcher.health.notReady() == nil)
        }
        for id in [first, second, elsewhere] { #expect(try desk.code(id) == "open") }
        let said = try #require(try reason(poison, desk))
        #expect(said.hasPrefix(bad.code + ": ") && said.contains(bad.reason), "\(said)")
        if let code = try desk.connection.execute(
            "SELECT code FROM pgbook.commands WHERE id = $1", PostgresUUID(high: poison.high, low: poison.low)
        ).first {
            #expect(try code.decode(String?.self, at: 0) == bad.code)
            #expect(try desk.connection.commandStates([poison]).map(\.code.name) == [bad.code])
        }
        for market in try desk.connection.markets() {
            let report = try Verification(desk.connection).run(market)
            #expect(report.differences == [])
        }
    }

    @Test func `one bad command among many is found, and all others are executed in their order`() async throws {
        let desk = try Desk()
        let owner = try desk.database.connection()
        try owner.executeSimple("ALTER TABLE pgbook_data.book ADD CONSTRAINT no_poison CHECK (user_id NOT LIKE 'poison%')")
        var ids: [OrderID] = []
        let bad: Set<Int> = [0, 17, 18, 40]
        for number in 0..<41 {
            ids.append(try desk.place(.bid, 1, at: 90, user: bad.contains(number) ? "poison\(number)" : "ann"))
        }
        try await beside(matcher(batches: 16), desk) {
            try await eventually("nothing waits") { try desk.number("SELECT count(*) FROM pgbook_data.inbox") == 0 }
        }
        for (number, id) in ids.enumerated() {
            #expect(try desk.code(id) == (bad.contains(number) ? "unexecutable" : "open"), "\(number)")
        }
        let order = try desk.connection.execute(
            "SELECT id FROM pgbook_data.outcomes ORDER BY seq"
        ).map { OrderID(high: try $0.decode(PostgresUUID.self, at: 0).high, low: try $0.decode(PostgresUUID.self, at: 0).low) }
        #expect(order == ids.enumerated().filter { !bad.contains($0.offset) }.map(\.element))
        #expect(try desk.verify().differences == [])
    }

    @Test func `a command that was executed before and waits again is not executed twice`() throws {
        let desk = try Desk()
        let first = try desk.place(.bid, 1, at: 90)
        #expect(try desk.match() == 1)
        try desk.connection.executeSimple(
            "INSERT INTO pgbook_data.inbox (time, id, market) SELECT time, id, market FROM pgbook_data.commands")
        let second = try desk.place(.bid, 1, at: 91)
        #expect(throws: PostgresError.self) { try desk.batch().run() }
        // As the matcher's care does it.
        #expect(try desk.batch().run(care: .refusingFirst("executed before"))?.setAside.map(\.id) == [first])
        #expect(try desk.match() == 1)
        #expect(try desk.code(first) == "open")
        #expect(try desk.code(second) == "open")
        #expect(try desk.verify().differences == [])
    }

    @Test func `a market whose batches fail waits and is named, and nothing of it is set aside`() async throws {
        let desk = try Desk()
        try desk.database.addMarket("OTHER", tick: "1", lot: "1")
        let other = Desk(
            database: desk.database, connection: desk.connection,
            market: try #require(try desk.connection.markets().first { $0.symbol == "OTHER" }))
        let owner = try desk.database.connection()
        try owner.executeSimple(
            """
            CREATE FUNCTION pgbook_data.no() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'this table is closed'; END $$;
            GRANT EXECUTE ON FUNCTION pgbook_data.no TO pgbook_node;
            CREATE TRIGGER no BEFORE INSERT ON pgbook_data.outcomes FOR EACH ROW
            WHEN (new.market = \(desk.market.number.rawValue)) EXECUTE FUNCTION pgbook_data.no()
            """)
        let matcher = matcher()
        try await beside(matcher, desk) {
            let stuck = try desk.place(.bid, 1, at: 90)
            let free = try other.place(.bid, 1, at: 90)
            try await eventually("the other goes on") { try desk.code(free) == "open" }
            try await eventually("it is named") {
                matcher.health.notReady()?.contains("market TEST is not executed: this table is closed") ?? false
            }
            #expect(try desk.code(stuck) == nil)
            try owner.executeSimple("DROP TRIGGER no ON pgbook_data.outcomes")
            try await eventually("it goes on") { try desk.code(stuck) == "open" }
            try await eventually("nothing is wrong") { matcher.health.notReady() == nil }
        }
        #expect(try desk.number("SELECT count(*) FROM pgbook_data.set_aside") == 0)
    }

    @Test(arguments: ["tick_size = 1e40", "lot_size = 1e40", "tick_size = 0", "tick_size = 'NaN'", "lot_size = 1e30"])
    func `a market that cannot be read takes no orders, and all others go on`(change: String) async throws {
        let desk = try Desk()
        try desk.database.addMarket("T2", tick: "1", lot: "1")
        let owner = try desk.database.connection()
        try dropConstraints(owner)
        try owner.executeSimple("UPDATE pgbook_data.markets SET \(change) WHERE symbol = 'T2'")
        let list = try desk.connection.marketList()
        #expect(list.markets.map(\.symbol) == ["TEST"])
        #expect(list.unreadable.map(\.symbol) == ["T2"])
        let entrance = DirectEntrance()
        let matcher = matcher(entrance: entrance)
        try await beside(matcher, desk) {
            let id = try desk.place(.bid, 1, at: 90)
            try await eventually("the other market goes on") { try desk.code(id) == "open" }
            try await eventually("it is named") {
                try desk.connection.setAsideRecords(max: 5).map(\.summary).contains { $0.hasPrefix("market T2 is set aside") }
            }
            #expect(matcher.health.notReady() == nil)
            let entry = { (symbol: String) in
                Entry(
                    user: UserID("bob"), market: symbol,
                    action: .place(PlaceEntry(side: .ask, amount: whole(1), price: whole(90))))
            }
            let answer = try await withCheckedThrowingContinuation { continuation in
                entrance.submit([entry("T2"), entry("TEST")]) { continuation.resume(with: $0.mapError { $0 as any Error }) }
            }
            guard case .refused(let rejection) = answer.receipts[0].admission else {
                Issue.record("it was taken: \(answer.receipts[0])")
                return
            }
            #expect(rejection.code == .unreadable && rejection.message.contains("T2"), "\(rejection)")
            guard case .admitted = answer.receipts[1].admission else {
                Issue.record("the other was not taken: \(answer.receipts[1])")
                return
            }
            try owner.executeSimple("UPDATE pgbook_data.markets SET tick_size = 1, lot_size = 1 WHERE symbol = 'T2'")
            try await eventually("it comes back") { try desk.connection.setAsideRecords(max: 5).isEmpty }
        }
        #expect(try desk.verify().differences == [])
    }

    @Test func `in a batch of many users only the command at fault is refused`() throws {
        let desk = try Desk()
        try desk.database.connection().executeSimple(
            "ALTER TABLE pgbook_data.book ADD CONSTRAINT no_poison CHECK (user_id <> 'poison')")
        let exchange = try DirectExchange(desk.connection)
        let users = (0..<37).map { $0 == 11 || $0 == 30 ? "poison" : "user\($0)" }
        let entries = users.map {
            Entry(
                user: UserID($0), market: "TEST",
                action: .place(PlaceEntry(side: .bid, amount: whole(1), price: whole(90))))
        }
        var batches = exchange.submit(entries, tag: 1)
        batches += exchange.submit(entries.filter { $0.user != UserID("poison") }, tag: 2)
        batches += exchange.finish()
        #expect(batches.map(\.tag) == [1, 2])
        for (user, result) in zip(users, try batches[0].results) {
            switch result.admission {
            case .admitted: #expect(user != "poison")
            case .refused(let rejection): #expect(user == "poison" && rejection.code == .unexecutable, "\(rejection)")
            }
        }
        #expect(try batches[1].results.count == 35)
        #expect(try desk.number("SELECT count(*) FROM pgbook_data.commands") == 70)
        #expect(try desk.verify().differences == [])
    }

    @Test func `in a batch of many markets only those of a market that cannot be written wait`() throws {
        let desk = try Desk()
        try desk.database.addMarket("OTHER", tick: "1", lot: "1")
        try desk.database.connection().executeSimple(
            """
            CREATE FUNCTION pgbook_data.no() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'this table is closed'; END $$;
            GRANT EXECUTE ON FUNCTION pgbook_data.no TO pgbook_node;
            CREATE TRIGGER no BEFORE INSERT ON pgbook_data.book FOR EACH ROW
            WHEN (new.market = \(desk.market.number.rawValue)) EXECUTE FUNCTION pgbook_data.no()
            """)
        let health = ExecutorHealth()
        health.connected(serverProcess: 0)
        let exchange = try DirectExchange(desk.connection, health: health)
        let symbols = ["TEST", "OTHER", "TEST", "OTHER"]
        let entries = symbols.map {
            Entry(
                user: UserID("ann"), market: $0,
                action: .place(PlaceEntry(side: .bid, amount: whole(1), price: whole(90))))
        }
        let batches = exchange.submit(entries) + exchange.finish()
        for (symbol, result) in zip(symbols, try #require(try batches.first?.results)) {
            switch result.admission {
            case .admitted: #expect(symbol == "OTHER")
            case .refused(let rejection):
                #expect(symbol == "TEST" && rejection.code == .notReady, "\(rejection)")
                #expect(rejection.message.contains("this table is closed"))
            }
        }
        #expect(health.notReady()?.contains("market TEST is not executed: this table is closed") == true)
    }

    @Test func `verify names a row that cannot be read`() throws {
        let desk = try Desk()
        let id = try desk.place(.bid, 1, at: 90)
        try desk.match()
        let owner = try desk.database.connection()
        try dropConstraints(owner)
        try owner.executeSimple("UPDATE pgbook_data.commands SET side = 7")
        let differences = try desk.verify().differences
        #expect(differences.contains { $0.description == "seq 1: command \(id) cannot be read: side 7" }, "\(differences)")
        try owner.executeSimple("UPDATE pgbook_data.commands SET side = 0; UPDATE pgbook_data.book SET side = 0, stp = 99")
        #expect(try desk.verify().differences.contains { $0.rule == "rows" && $0.description.contains("99") })
    }
}
