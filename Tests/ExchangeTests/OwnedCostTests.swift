import Exchange
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// What a command costs is bounded by what its own user has, however much others have resting.
@Suite struct OwnedCostTests {
    /// A book of many orders of others, written as a matcher would.
    private func deepBook(_ orders: Int) throws -> Desk {
        let desk = try Desk()
        let exchange = try DirectExchange(desk.connection)
        let entries = (0..<orders).map { number in
            Entry(
                user: UserID("maker \(number % 100)"), market: "TEST",
                action: .place(
                    PlaceEntry(
                        side: number.isMultiple(of: 2) ? .bid : .ask, amount: whole(1),
                        price: whole(
                            number.isMultiple(of: 2) ? 1_000 - Int128(number % 500) : 1_001 + Int128(number % 500)))))
        }
        for start in stride(from: 0, to: orders, by: 1_000) {
            _ = exchange.submit(Array(entries[start..<min(orders, start + 1_000)]))
        }
        _ = exchange.finish()
        return desk
    }

    private func cancelAll(_ user: String, _ side: Side? = nil) -> Entry {
        Entry(user: UserID(user), market: "TEST", action: .cancelAll(CancelAll(owner: UserID(user), side: side)))
    }

    /// Rows and index entries of the book that were read so far.
    private func reads(_ desk: Desk) throws -> Int64 {
        try desk.connection.execute("SELECT pg_stat_force_next_flush()")
        return try desk.number(
            """
            SELECT (coalesce(idx_tup_fetch, 0) + seq_tup_read)::bigint FROM pg_stat_user_tables
            WHERE relid = 'pgbook_data.book'::regclass
            """)
    }

    @Test func `a stranger's cancel-all does not read the book each time`() throws {
        let desk = try deepBook(5_000)
        let exchange = try DirectExchange(desk.connection)
        let run = { (entries: [Entry]) in
            try (exchange.submit(entries) + exchange.finish()).flatMap { try $0.results.map(\.execution?.outcome) }
        }
        // The first one loads what nobody has asked for yet.
        #expect(try run([cancelAll("stranger 0")]).map { $0?.code } == [.done])
        let before = try reads(desk)
        for number in 1...50 {
            #expect(
                try run([cancelAll("stranger \(number)", .bid), cancelAll("maker 777")]).map { $0?.code } == [
                    .done, .done,
                ])
        }
        #expect(try reads(desk) - before < 500)
        #expect(try run([cancelAll("maker 3")]) == [Outcome(code: .done, dropped: AmountLots(50))])
        #expect(try desk.number("SELECT count(*) FROM pgbook_data.book") == 4_950)
        #expect(try desk.verify().differences == [])
    }

    @Test func `nor does one that comes by the inbox`() throws {
        let desk = try deepBook(5_000)
        let memory = BookMemory(limits: desk.limits)
        let match = {
            try MatchingBatch(
                MatchingTransaction(desk.connection, market: desk.market), due: .everything, limits: desk.limits,
                memory: memory
            ).run()
        }
        _ = try desk.connection.enter([cancelAll("stranger 0")])
        #expect(try match()?.commands == 1)
        let before = try reads(desk)
        for number in 1...50 {
            _ = try desk.connection.enter([cancelAll("stranger \(number)")])
            #expect(try match()?.commands == 1)
        }
        #expect(try reads(desk) - before < 500)
        _ = try desk.connection.enter([cancelAll("maker 3")])
        #expect(try match()?.commands == 1)
        #expect(try desk.number("SELECT count(*) FROM pgbook_data.book") == 4_950)
        #expect(try desk.verify().differences == [])
    }

    @Test func `a fill-or-kill for more than there is does not read the book each time`() throws {
        let desk = try deepBook(5_000)
        let exchange = try DirectExchange(desk.connection)
        let fok = Entry(
            user: UserID("stranger"), market: "TEST",
            action: .place(PlaceEntry(side: .bid, amount: whole(1_000_000), price: whole(5_000), timeInForce: .fok)))
        let run = {
            try (exchange.submit([fok]) + exchange.finish()).flatMap { try $0.results.map(\.execution?.outcome.code) }
        }
        #expect(try run() == [.cannotFill])
        let before = try reads(desk)
        for _ in 0..<50 { #expect(try run() == [.cannotFill]) }
        #expect(try reads(desk) - before < 500)
        #expect(try desk.verify().differences == [])
    }
}
