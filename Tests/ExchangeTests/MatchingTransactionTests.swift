import Exchange
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

@Suite struct MatchingTransactionTests {
    @Test func `a trade lands in the hypertable with its candle, and both orders know it`() throws {
        let desk = try Desk()
        let maker = try desk.place(.ask, 5, at: 101, user: "bob")
        let taker = try desk.place(.bid, 3, at: 102)
        #expect(try desk.match() == 2)
        let trade = try desk.connection.execute(
            "SELECT id, price::bigint, amount::bigint, side, user_id, maker_user, best_ask::bigint FROM pgbook.trades"
        ).one()
        #expect(try trade.decode(Int64.self, at: 0) == 1)
        #expect(try trade.decode(Int64.self, at: 1) == 101)
        #expect(try trade.decode(Int64.self, at: 2) == 3)
        #expect(try trade.decode(String.self, at: 3) == "bid")
        #expect(try trade.decode(String.self, at: 4) == "ann")
        #expect(try trade.decode(String.self, at: 5) == "bob")
        #expect(try trade.decode(Int64.self, at: 6) == 101)
        #expect(try desk.status(maker) == "open 3 2")
        #expect(try desk.status(taker) == "filled 3 0")
        #expect(try desk.number("SELECT volume::bigint FROM pgbook.candles_1m") == 3)
        #expect(try desk.number("SELECT count(*) FROM timescaledb_information.chunks") == 1)
        #expect(try desk.verify().differences == [])
    }

    @Test func `a row that is being filled is locked`() throws {
        let desk = try Desk()
        let maker = try desk.place(.ask, 5, at: 101, user: "bob")
        try desk.match()
        try desk.place(.bid, 3, at: 102)
        let transaction = MatchingTransaction(desk.connection, market: desk.market)
        let begun = try transaction.begin(cutoff: Timestamp(.max), commandsMax: 10, rowsMax: 10, waits: false)
        #expect(begun?.commands.count == 1)
        let other = try desk.database.connection()
        let error = #expect(throws: PostgresError.self) {
            try other.execute(
                "SELECT FROM pgbook_data.book WHERE id = $1 FOR UPDATE NOWAIT",
                PostgresUUID(high: maker.high, low: maker.low))
        }
        #expect(error?.sqlState == .lockNotAvailable)
        transaction.rollback()
        #expect(
            try other.execute(
                "SELECT FROM pgbook_data.book WHERE id = $1 FOR UPDATE NOWAIT",
                PostgresUUID(high: maker.high, low: maker.low)
            ).count == 1)
    }

    @Test func `a matcher leaves a market alone that another one has`() throws {
        let desk = try Desk()
        try desk.place(.ask, 5, at: 101)
        let transaction = MatchingTransaction(desk.connection, market: desk.market)
        _ = try transaction.begin(cutoff: Timestamp(.max), commandsMax: 10, rowsMax: 10, waits: false)
        let other = try desk.database.connection(as: .node)
        let report = try MatchingBatch(
            MatchingTransaction(other, market: desk.market), due: .everything, limits: desk.limits
        ).run()
        #expect(report == nil)
        transaction.rollback()
        #expect(try desk.match() == 1)
    }

    @Test func `a batch that dies before its commit leaves nothing, and the next one executes all of it once`() throws {
        let desk = try Desk()
        let ids = try (1...20).map { try desk.place($0.isMultiple(of: 2) ? .bid : .ask, 1, at: 100) }
        let victim = try desk.database.connection(as: .node)
        let transaction = MatchingTransaction(victim, market: desk.market)
        let batch = try #require(
            try transaction.begin(cutoff: Timestamp(.max), commandsMax: 100, rowsMax: 10, waits: false))
        var book = OrderBook(state: batch.state, completeness: .complete)
        for command in batch.commands { book.execute(command) }
        let admin = try desk.database.connection()
        try admin.execute("SELECT pg_terminate_backend($1)", victim.serverProcessID)
        #expect(throws: (any Error).self) {
            try transaction.commit(
                book.takeJournal(), book.takeChanges(), before: batch.state.seq, state: book.state,
                closedThrough: batch.closedThrough)
        }
        #expect(try desk.number("SELECT count(*) FROM pgbook_data.outcomes") == 0)
        #expect(try desk.number("SELECT count(*) FROM pgbook_data.inbox") == 20)
        #expect(try desk.match() == ids.count)
        let report = try desk.verify()
        #expect(report.differences == [])
        #expect(report.trades == 10)
    }

    @Test func `results do not depend on the size of a batch`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var results: [[String]] = []
        for batchSize in [1, 7, 1000] {
            var desk = try Desk()
            desk.limits.commandsPerBatchMax = batchSize
            var flow = RandomFlow(seed: seed)
            for _ in 0..<200 { flow.give(to: desk) }
            try desk.match()
            let rows = try desk.connection.execute(
                "SELECT trade_id || ':' || seq || ':' || price || ':' || amount || ':' || coalesce(best_bid, 0) FROM pgbook_data.trades ORDER BY trade_id"
            )
            results.append(try rows.map { try $0.decode(String.self, at: 0) })
            #expect(try desk.verify().differences == [], "seed \(seed)")
        }
        #expect(!results[0].isEmpty, "seed \(seed)")
        #expect(results[0] == results[1], "seed \(seed)")
        #expect(results[0] == results[2], "seed \(seed)")
    }

    @Test(arguments: [1, 2, 5])
    func `a book loaded in small pieces matches as the whole book does`(rows: Int) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var desk = try Desk()
        desk.limits.rowsLoadedFirst = rows
        desk.limits.rowsLoadedMore = rows
        desk.limits.rowsLoadedMax = rows
        desk.limits.commandsPerBatchMax = 17
        var flow = RandomFlow(seed: seed)
        for _ in 0..<400 { flow.give(to: desk) }
        try desk.match()
        let report = try desk.verify()
        #expect(report.differences == [], "seed \(seed)")
        #expect(report.trades > 20, "seed \(seed)")
    }

    @Test func `trades never fall in time, though commands show up out of order`() throws {
        let desk = try Desk()
        try desk.place(.ask, 5, at: 101, user: "bob")
        let early = try desk.database.connection(as: .node)
        try early.executeSimple("BEGIN")
        _ = try early.enter([
            Entry(
                user: UserID("eve"), market: desk.market.symbol,
                action: .place(PlaceEntry(side: .bid, amount: whole(1), price: whole(101))))
        ])
        try desk.place(.bid, 1, at: 101)
        #expect(try desk.match() == 2)
        try early.executeSimple("COMMIT")
        #expect(try desk.match() == 1)
        #expect(
            try desk.number(
                "SELECT count(*) FROM pgbook_data.trades a JOIN pgbook_data.trades b ON b.trade_id = a.trade_id + 1 WHERE b.time < a.time"
            ) == 0)
        #expect(try desk.number("SELECT count(*) FROM pgbook_data.trades") == 2)
        #expect(try desk.verify().differences == [])
    }
}
