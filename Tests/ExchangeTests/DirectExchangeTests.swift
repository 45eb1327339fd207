import Exchange
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

@Suite struct DirectExchangeTests {
    private func place(
        _ side: Side, _ amount: Int128, at price: Int128?, user: String = "ann", id: OrderID? = nil,
        clientOrderID: String? = nil, market: String = "TEST"
    ) -> Entry {
        Entry(
            id: id, user: UserID(user), market: market, clientOrderID: clientOrderID,
            action: .place(PlaceEntry(side: side, amount: whole(amount), price: price.map(whole))))
    }

    private func run(_ exchange: DirectExchange, _ entries: [Entry]) throws -> [ExecutedEntry] {
        let batches = exchange.submit(entries) + exchange.finish()
        #expect(batches.count == 1)
        return try #require(batches.first).results
    }

    private func codes(_ entries: [ExecutedEntry]) -> [OutcomeCode?] {
        entries.map { entry in
            if case .refused(let rejection) = entry.admission { rejection.code } else { entry.execution?.outcome.code }
        }
    }

    @Test func `commands are logged with their outcomes, and nothing waits`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(desk.connection)
        let results = try run(
            exchange, [place(.ask, 5, at: 101, user: "bob"), place(.bid, 3, at: 102), place(.bid, 1, at: nil)])
        #expect(codes(results) == [.open, .filled, .filled])
        #expect(results.map(\.trades.count) == [0, 1, 1])
        #expect(try desk.number("SELECT count(*) FROM pgbook_data.inbox") == 0)
        #expect(try desk.number("SELECT count(*) FROM pgbook_data.outcomes") == 0)
        #expect(try desk.number("SELECT count(*) FROM pgbook.orders WHERE status = 'filled'") == 2)
        #expect(try desk.verify().differences == [])
        #expect(try desk.verify().commands == 3)
    }

    @Test func `a batch is sent before the one before it is known to be durable`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(desk.connection)
        #expect(exchange.submit([place(.ask, 5, at: 101)], tag: 1).isEmpty)
        #expect(exchange.submit([place(.bid, 5, at: 101)], tag: 2).map(\.tag) == [1])
        #expect(exchange.finish().map(\.tag) == [2])
        #expect(try desk.verify().trades == 1)
    }

    @Test func `many rows and few give the same tables`() throws {
        // Single rows, arrays of rows and COPY are three ways into the same columns.
        var reports: [Verification.Report] = []
        for size in [1, 20, 500] {
            let desk = try Desk()
            let exchange = try DirectExchange(desk.connection)
            let entries = (0..<500).map { place($0 % 2 == 0 ? .ask : .bid, 3, at: 100 + Int128($0 * 7 % 11)) }
            for start in stride(from: 0, to: entries.count, by: size) {
                _ = try run(exchange, Array(entries[start..<start + size]))
            }
            reports.append(try desk.verify())
        }
        #expect(reports.map(\.differences) == [[], [], []])
        #expect(Set(reports.map(\.trades)).count == 1 && reports[0].trades > 100)
    }

    @Test func `what somebody else executed meanwhile is seen, and nothing is executed twice`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(try desk.database.connection(as: .node))
        _ = try run(exchange, [place(.ask, 5, at: 101, user: "bob")])
        // psql's order takes what memory believes to be there.
        try desk.place(.bid, 5, at: 101, user: "eve")
        try desk.match()
        let results = try run(exchange, [place(.bid, 5, at: 101)])
        #expect(codes(results) == [.open])
        #expect(try desk.verify().differences == [])
        #expect(try desk.verify().commands == 3)
    }

    @Test func `two batches matched upon a stale book are both executed again`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(try desk.database.connection(as: .node))
        _ = try run(exchange, [place(.ask, 5, at: 101, user: "bob")])
        try desk.place(.bid, 5, at: 101, user: "eve")
        try desk.match()
        let batches =
            exchange.submit([place(.bid, 1, at: 101)], tag: 1) + exchange.submit([place(.ask, 1, at: 101)], tag: 2)
            + exchange.finish()
        #expect(batches.map(\.tag) == [1, 2])
        #expect(try batches.flatMap { codes(try $0.results) } == [.open, .filled])
        #expect(try desk.verify().differences == [])
    }

    @Test func `a book changed by hand undoes the batch, which runs again from the rows`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(desk.connection)
        let maker = try run(exchange, [place(.ask, 5, at: 101, user: "bob")])[0].execution!.id
        try desk.database.connection().execute(
            "DELETE FROM pgbook_data.book WHERE id = $1", PostgresUUID(high: maker.high, low: maker.low))
        #expect(try codes(run(exchange, [place(.bid, 5, at: 101)])) == [.open])
        #expect(try desk.number("SELECT count(*) FROM pgbook_data.trades") == 0)
    }

    @Test func `a retry gets the first one's id, and other content is a duplicate`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(desk.connection)
        let id = OrderID(high: 7, low: 9)
        _ = try run(exchange, [place(.ask, 5, at: 101, id: id), place(.ask, 4, at: 102, clientOrderID: "mine")])
        let again = try run(
            exchange,
            [
                place(.ask, 5, at: 101, id: id), place(.ask, 4, at: 102, clientOrderID: "mine"),
                place(.ask, 6, at: 101, id: id), place(.ask, 1, at: 103, user: "bob"),
            ])
        #expect(again[0].admission == .admitted(id, isRetry: true))
        guard case .admitted(_, isRetry: true) = again[1].admission else {
            Issue.record("\(again[1].admission)")
            return
        }
        #expect(codes(again)[2] == .duplicate)
        #expect(codes(again)[3] == .open)
        #expect(try desk.verify().differences == [])
        #expect(try desk.verify().commands == 3)
    }

    @Test func `the same id twice in one batch is one order`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(desk.connection)
        let id = OrderID(high: 7, low: 9)
        let results = try run(exchange, [place(.ask, 5, at: 101, id: id), place(.ask, 5, at: 101, id: id)])
        #expect(results.map(\.admission) == [.admitted(id, isRetry: false), .admitted(id, isRetry: true)])
        #expect(try desk.verify().commands == 1)
    }

    @Test func `what is refused leaves no trace, and its user's next command stays behind it`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(desk.connection)
        let wrong = Entry(
            user: UserID("ann"), market: "TEST",
            action: .place(PlaceEntry(side: .bid, amount: PostgresNumeric("0.5")!, price: whole(100))))
        let results = try run(
            exchange,
            [place(.bid, 1, at: 99, user: "bob"), wrong, place(.bid, 2, at: 99), place(.bid, 3, at: 99, user: "bob")])
        #expect(codes(results) == [.open, .offLot, nil, .open])
        #expect(exchange.hasLogged)
        try desk.match()
        #expect(try desk.verify().commands == 3)
        #expect(try desk.verify().differences == [])
        #expect(
            try desk.number(
                "SELECT count(*) FROM pgbook_data.executions e JOIN pgbook_data.commands c USING (id) WHERE e.seq = 3 AND c.amount = 2"
            ) == 1)
    }

    @Test func `a text that cannot be stored refuses its own command alone`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(desk.connection)
        let results = try run(
            exchange, [place(.bid, 1, at: 99, clientOrderID: "a\0b"), place(.bid, 2, at: 99, user: "bob")])
        #expect(codes(results)[0] == .badValue)
        #expect(codes(results)[1] == .open || results[1].admission != results[0].admission)
        try desk.match()
        #expect(try desk.verify().commands == 1)
    }

    @Test func `an order cancelled by somebody else, unknown or closed is answered as the entrance answers`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(desk.connection)
        let id = try run(exchange, [place(.bid, 1, at: 99)])[0].execution!.id
        func cancel(_ id: OrderID, _ user: String) throws -> OutcomeCode? {
            try codes(
                run(exchange, [Entry(user: UserID(user), market: nil, action: .cancel(target: id))]))[0]
        }
        #expect(try cancel(id, "bob") == .notYours)
        #expect(try cancel(OrderID(high: 1, low: 1), "ann") == .unknownOrder)
        #expect(try cancel(id, "ann") == .cancelled)
        #expect(try cancel(id, "ann") == .alreadyClosed)
        // Only from the rows now.
        let fresh = try DirectExchange(desk.connection)
        #expect(
            try codes(run(fresh, [Entry(user: UserID("ann"), market: nil, action: .cancel(target: id))])) == [
                .alreadyClosed
            ])
        #expect(try desk.verify().commands == 4)
        #expect(try desk.verify().differences == [])
    }

    @Test func `a gtd order that is not in memory expires in time`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(desk.connection)
        let soon = try desk.connection.execute("SELECT clock_timestamp() + interval '200 ms'").one()
            .decode(PostgresTimestamp.self, at: 0)
        var gtd = PlaceEntry(side: .ask, amount: whole(5), price: whole(101))
        gtd.timeInForce = .gtd(expires: Timestamp(soon.microsecondsSinceUnixEpoch))
        _ = try run(exchange, [Entry(user: UserID("bob"), market: "TEST", action: .place(gtd))])
        let fresh = try DirectExchange(desk.connection)
        _ = try run(fresh, [place(.bid, 1, at: 50)])
        // The server's clock passes the time, whatever this machine's load.
        try desk.connection.execute("SELECT pg_sleep_until($1)", soon)
        #expect(try codes(run(fresh, [place(.bid, 1, at: 101)])) == [.open])
        #expect(try desk.verify().differences == [])
    }

    @Test func `one batch serves many markets in one transaction`() throws {
        let desk = try Desk()
        for number in 1...40 { try desk.database.addMarket("M\(number)", tick: "1", lot: "1") }
        let exchange = try DirectExchange(desk.connection)
        let entries = (0..<400).map { index in
            place(index % 3 == 0 ? .ask : .bid, 2, at: 100, user: "u\(index % 5)", market: "M\(index % 40 + 1)")
        }
        let results = try run(exchange, entries)
        #expect(results.allSatisfy { $0.execution != nil })
        let transactions = try desk.number(
            "SELECT count(DISTINCT xmin::text) FROM pgbook_data.commands")
        #expect(transactions == 1)
        for market in try desk.connection.markets() {
            #expect(try Verification(desk.connection).run(market).differences == [])
        }
    }

    @Test func `a market whose limits change is seen by the next batch`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(desk.connection)
        _ = try run(exchange, [place(.bid, 1, at: 99)])
        try desk.database.connection().executeSimple("UPDATE pgbook_data.markets SET max_price = 50")
        #expect(try codes(run(exchange, [place(.bid, 1, at: 98)])) == [.outsideBand])
        #expect(try desk.verify().commands == 1)
    }

    @Test func `a lost connection fails what was under way, and entering it again stores nothing twice`() throws {
        let desk = try Desk()
        let victim = try desk.database.connection(as: .node)
        let exchange = try DirectExchange(victim)
        let first = place(.bid, 1, at: 99, id: OrderID(high: 1, low: 1))
        let second = place(.bid, 1, at: 98, id: OrderID(high: 1, low: 2))
        _ = try run(exchange, [first])
        try desk.connection.execute("SELECT pg_terminate_backend($1)", victim.serverProcessID)
        let failed = exchange.submit([second]) + exchange.finish()
        guard case .failure(.unreachable) = try #require(failed.first).outcome else {
            Issue.record("\(failed)")
            return
        }
        let fresh = try DirectExchange(desk.connection)
        _ = try run(fresh, [first, second])
        try desk.match()
        #expect(try desk.verify().commands == 2)
    }

    @Test(arguments: [3, 50, 100_000], [false, true])
    func `random commands by two ways in, mixed, replay to the same book`(
        ordersInMemoryMax: Int, isMemoryShared: Bool
    ) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var flow = RandomFlow(seed: seed)
        let desk = try Desk()
        var limits = ExchangeLimits()
        limits.ordersInMemoryMax = ordersInMemoryMax
        limits.rowsLoadedFirst = 4
        limits.rowsLoadedMore = 4
        limits.closedRememberedMax = 10
        let connection = try desk.database.connection(as: .node)
        let exchange = try DirectExchange(connection, limits: limits)
        let memory = BookMemory(limits: limits, sharedWith: isMemoryShared ? exchange : nil)
        let match = {
            let transaction = MatchingTransaction(
                isMemoryShared ? connection : desk.connection, market: desk.market)
            while try MatchingBatch(transaction, due: .everything, limits: limits, memory: memory).run() != nil {}
        }
        for round in 0..<60 {
            let entries = (0...flow.number(below: 40)).map { _ in flow.entry(desk.market) }
            if round % 5 == 4 {
                for batch in exchange.finish() { _ = try batch.results }
                _ = try desk.connection.enter(entries)
                try match()
            } else {
                for batch in exchange.submit(entries) { _ = try batch.results }
            }
            guard round % 3 == 0 || exchange.hasLogged else { continue }
            for batch in exchange.finish() { _ = try batch.results }
            try match()
            exchange.tookLogged()
        }
        for batch in exchange.finish() { _ = try batch.results }
        try match()
        let report = try desk.verify()
        #expect(report.differences == [], "seed \(seed)")
        #expect(report.commands > 500 && report.trades > 50, "seed \(seed)")
    }
}
