import Exchange
import Logging
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// Whatever another session holds and never gives back, only those wait who need the very same.
@Suite struct HeldLocksTests {
    /// A market that somebody holds, another that nobody does, and who holds.
    private struct Rig {
        let desk: Desk
        let exchange: DirectExchange
        let stranger: Connection

        init() throws {
            desk = try Desk()
            try desk.database.addMarket("OTHER", tick: "1", lot: "1")
            exchange = try DirectExchange(try desk.database.connection(as: .node))
            stranger = try desk.database.connection()
        }

        func run(_ entries: [Entry]) throws -> [ExecutedEntry] {
            let batches = exchange.submit(entries) + exchange.finish()
            return try #require(batches.first).results
        }

        /// One code per entry: of its outcome, or of its refusal.
        func codes(_ entries: [Entry]) throws -> [OutcomeCode?] {
            try run(entries).map { entry in
                if case .refused(let rejection) = entry.admission {
                    rejection.code
                } else {
                    entry.execution?.outcome.code
                }
            }
        }

        func verify() throws {
            for market in try desk.connection.markets() {
                #expect(try Verification(desk.connection).run(market).differences == [])
            }
        }
    }

    private func place(
        _ side: Side, _ amount: Int128, at price: Int128?, user: String = "ann", id: OrderID? = nil,
        clientOrderID: String? = nil, market: String = "TEST"
    ) -> Entry {
        Entry(
            id: id, user: UserID(user), market: market, clientOrderID: clientOrderID,
            action: .place(PlaceEntry(side: side, amount: whole(amount), price: price.map(whole))))
    }

    private func took(_ body: () throws -> Void) rethrows -> Duration { try ContinuousClock().measure(body) }

    @Test func `a client order id that another session uses keeps nobody waiting but its user`() async throws {
        let rig = try Rig()
        _ = try rig.run([place(.bid, 1, at: 50, user: "zoe")])
        try rig.stranger.executeSimple(
            "BEGIN; SELECT pgbook.place_order('TEST', 'bid', 1, 1, client_order_id => 'mine', user_id => 'ann')")
        let batch = [
            place(.bid, 1, at: 1, clientOrderID: "mine"), place(.bid, 1, at: 60, user: "bob"),
            place(.bid, 1, at: 61, user: "eve", market: "OTHER"),
            place(.bid, 1, at: 62, user: "carl", clientOrderID: "his"),
        ]
        let first = try took {
            let results = try rig.run(batch)
            guard case .refused(let rejection) = results[0].admission else {
                Issue.record("\(results[0])")
                return
            }
            #expect(rejection.code == .busy && rejection.field == "client_order_id")
            #expect(rejection.message.contains("'mine'"))
            #expect(results[1].execution?.outcome.code == .open && results[2].execution?.outcome.code == .open)
            guard case .admitted = results[3].admission else {
                Issue.record("\(results[3])")
                return
            }
        }
        #expect(first < .seconds(3))
        // Asked again and again it costs the others next to nothing.
        let others = try took {
            for number in 0..<20 {
                let codes = try rig.codes([
                    place(.bid, 1, at: 1, clientOrderID: "mine"),
                    place(.bid, 1, at: 20 + Int128(number), user: "bob"),
                ])
                #expect(codes == [.busy, .open])
            }
        }
        #expect(others < .seconds(3))
        try rig.stranger.executeSimple("COMMIT")
        try await eventually("the order of the other session is the one") {
            if case .admitted(_, isRetry: true)? = try rig.run([place(.bid, 1, at: 1, clientOrderID: "mine")]).first?
                .admission
            {
                true
            } else {
                false
            }
        }
        try rig.desk.match()
        try rig.verify()
    }

    @Test func `an id that another session uses keeps nobody waiting but its sender`() async throws {
        let rig = try Rig()
        let id = OrderID(high: 0x0199_0000_0000_7000, low: 0x8000_0000_0000_0007)
        try rig.stranger.executeSimple(
            """
            BEGIN; SELECT pgbook.place_order('OTHER', 'bid', 1, 1, user_id => 'zoe',
                id => '01990000-0000-7000-8000-000000000007')
            """)
        let other = OrderID(high: 0x0199_0000_0000_7000, low: 0x8000_0000_0000_0008)
        let time = try took {
            let results = try rig.run([
                place(.bid, 1, at: 1, id: id), place(.bid, 1, at: 60, user: "bob", id: other),
                place(.bid, 1, at: 61, user: "eve", market: "OTHER"),
            ])
            guard case .refused(let rejection) = results[0].admission, case .admitted = results[1].admission,
                case .admitted = results[2].admission
            else {
                Issue.record("\(results)")
                return
            }
            #expect(rejection.code == .busy)
        }
        #expect(time < .seconds(3))
        try rig.stranger.executeSimple("ROLLBACK")
        #expect(try rig.codes([place(.bid, 1, at: 1, id: id)]).count == 1)
        try rig.desk.match()
        try rig.verify()
    }

    /// What somebody may do to the rows of one market and leave undone.
    private static let holds = [
        "SELECT FROM pgbook_data.market_state WHERE market = 1 FOR UPDATE",
        "SELECT FROM pgbook_data.market_state WHERE market = 1 FOR SHARE",
        "UPDATE pgbook_data.market_state SET last_price = 5 WHERE market = 1",
        "SELECT FROM pgbook_data.book WHERE market = 1 FOR UPDATE",
        "UPDATE pgbook_data.book SET post_only = false WHERE market = 1",
        "DELETE FROM pgbook_data.book WHERE market = 1",
        "UPDATE pgbook_data.candles_1m SET close = close WHERE market = 1",
    ]

    @Test(arguments: holds) func `a market that another session holds keeps no other market waiting`(
        _ hold: String
    ) async throws {
        let rig = try Rig()
        // A maker and a candle, so that the next taker touches every kind of row.
        _ = try rig.run([
            place(.ask, 9, at: 100, user: "bob"), place(.bid, 1, at: 100),
            place(.ask, 9, at: 100, user: "bob", market: "OTHER"),
        ])
        try rig.stranger.executeSimple("BEGIN; \(hold)")
        let time = try took {
            for _ in 0..<5 {
                let codes = try rig.codes([place(.bid, 1, at: 100), place(.bid, 1, at: 100, market: "OTHER")])
                #expect(codes == [.busy, .filled])
            }
        }
        #expect(time < .seconds(4))
        try rig.stranger.executeSimple("ROLLBACK")
        try await eventually("the market goes on") {
            try rig.codes([place(.bid, 1, at: 100)]) == [.filled]
        }
        try rig.verify()
        #expect(try rig.desk.number("SELECT trades FROM pgbook.markets WHERE security = 'TEST'") == 2)
    }

    @Test func `a market's limits that somebody is changing keep nobody waiting`() throws {
        let rig = try Rig()
        _ = try rig.run([place(.ask, 9, at: 100, user: "bob")])
        try rig.stranger.executeSimple("BEGIN; UPDATE pgbook_data.markets SET max_amount = max_amount")
        #expect(
            try rig.codes([place(.bid, 1, at: 100), place(.bid, 1, at: 100, market: "OTHER")]) == [.filled, .open])
    }

    @Test(arguments: ["commands", "book", "market_state", "candles_1m"])
    func `a table that somebody locks is told of, and its end is noticed`(_ table: String) async throws {
        let rig = try Rig()
        _ = try rig.run([place(.ask, 9, at: 100, user: "bob"), place(.bid, 1, at: 100)])
        try rig.stranger.executeSimple("BEGIN; LOCK TABLE pgbook_data.\(table) IN ACCESS EXCLUSIVE MODE")
        let time = took {
            for _ in 0..<3 { _ = try? rig.run([place(.bid, 1, at: 100), place(.bid, 1, at: 100, market: "OTHER")]) }
        }
        #expect(time < .seconds(6))
        try rig.stranger.executeSimple("ROLLBACK")
        try await eventually("everything goes on") {
            (try? rig.codes([place(.bid, 1, at: 100), place(.bid, 1, at: 90, market: "OTHER")])) == [.filled, .open]
        }
        try rig.verify()
    }

    @Test func `an id that another session uses keeps no other command from the log`() async throws {
        let rig = try Rig()
        try rig.stranger.executeSimple(
            "BEGIN; SELECT pgbook.place_order('TEST', 'bid', 1, 1, client_order_id => 'mine', user_id => 'ann')")
        let entrance = LoggedEntrance(try rig.desk.database.configuration(as: .node))
        let entries =
            (0..<40).map { place(.bid, 1, at: 10, user: "bob", clientOrderID: "b\($0)") }
            + [place(.bid, 1, at: 1, clientOrderID: "mine"), place(.bid, 1, at: 10, user: "eve")]
        let answer = await withCheckedContinuation { continuation in
            entrance.submit(entries) { continuation.resume(returning: $0) }
        }
        let admissions = try answer.get().receipts.map(\.admission)
        for (position, admission) in admissions.enumerated() {
            switch admission {
            case .admitted(_, let isRetry): #expect(position != 40 && !isRetry)
            case .refused(let rejection): #expect(position == 40 && rejection.code == .busy)
            }
        }
        #expect(try rig.desk.number("SELECT count(*) FROM pgbook_data.commands") == 41)
    }

    @Test func `a market of the inbox that another session holds keeps no other waiting`() async throws {
        let rig = try Rig()
        _ = try rig.run([place(.ask, 9, at: 100, user: "bob")])
        try rig.stranger.executeSimple("BEGIN; SELECT FROM pgbook_data.book WHERE market = 1 FOR UPDATE")
        let held = try rig.desk.place(.bid, 1, at: 100)
        let markets = try rig.desk.connection.markets()
        let other = Desk(
            database: rig.desk.database, connection: rig.desk.connection,
            market: try #require(markets.first { $0.symbol == "OTHER" }))
        let database = try rig.desk.database.configuration(as: .node)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await Matcher(.init(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
                    .run(database: database)
            }
            for price in 1...5 {
                let id = try other.place(.bid, 1, at: Int128(price))
                try await eventually("the other market's order is executed") { try other.code(id) == "open" }
            }
            #expect(try rig.desk.code(held) == nil)
            try rig.stranger.executeSimple("ROLLBACK")
            try await eventually("the order that waited is executed") { try rig.desk.code(held) == "filled" }
            group.cancelAll()
        }
        try rig.verify()
    }
}
