import OrderBook
import Postgres
import Store
import TestSupport
import Testing

private func id(_ number: UInt64) -> OrderID { OrderID(high: 0, low: number) }

/// What a node's sidecar writes, and reads again when it starts.
@Suite struct ClusterLogTests {
    private let log = "SELECT origin, number, id, verdict FROM pgbook_data.node_log ORDER BY origin, number"

    @Test func `numbering gives a command its stamp and puts it into its pool`() throws {
        let node = try ClusterNode("a")
        let order = try node.place()
        var reader = OutboxReader()
        try node.number(&reader, from: 1, at: 5_000)
        #expect(try node.number("SELECT count(*) FROM pgbook_data.outbox") == 0)
        #expect(
            try node.rows("SELECT (extract(epoch FROM time) * 1000000)::bigint FROM pgbook_data.inbox") == ["(5000)"])
        #expect(try node.connection.waitingItems().map(\.command.id) == [order])
        #expect(try node.connection.waitingItems().map(\.command.time) == [Timestamp(5_000)])
        #expect(try node.connection.items([LogSpan(origin: "a", numbers: 1...9)], max: 9).map(\.number) == [1])
    }

    @Test func `what is noted as stored is not looked for again, and never less of it`() throws {
        let node = try ClusterNode("a")
        try node.connection.write([
            .store((1...3).map { .order(Int64($0), from: "b", at: 1_000 * $0, id: id(UInt64($0))) })
        ])
        // What a start finds it remembers by itself; this is noted without one.
        let noted = "SELECT stored_through FROM pgbook_data.members WHERE name = 'b'"
        #expect(try node.number(noted) == 0)
        try node.connection.noteStored([("b", 3), ("a", 0)])
        #expect(try node.number(noted) == 3)
        try node.connection.noteStored([("b", 2)])
        #expect(try node.number(noted) == 3)
        try node.connection.write([.store([.order(5, from: "b", at: 9_000, id: id(5))])])
        #expect(
            try node.connection.storedSpans().map(\.span)
                == [LogSpan(origin: "b", numbers: 1...3), LogSpan(origin: "b", numbers: 5...5)])
    }

    @Test func `of a transaction that fails nothing remains`() throws {
        let node = try ClusterNode("a")
        let order = try node.place()
        var reader = OutboxReader()
        var command = try reader.next(node.connection, max: 1)[0]
        command.time = Timestamp(5_000)
        let before = try node.rows("SELECT * FROM pgbook_data.commands")
        #expect(throws: PostgresError.self) {
            try node.connection.write([
                .number([LoggedItem(number: 1, command: command)]), .bound(Timestamp(9_000)),
                .store([.order(1, from: "b", at: 1, id: id(1), market: "unknown")]),
            ])
        }
        #expect(try node.rows("SELECT * FROM pgbook_data.commands") == before)
        #expect(try node.number("SELECT count(*) FROM pgbook_data.inbox") == 0)
        #expect(try node.connection.clusterState()?.bound == Timestamp(.min))
        // A sidecar that starts anew finds it waiting.
        var again = OutboxReader()
        #expect(try again.next(node.connection, max: 9).map(\.id) == [order])
    }

    @Test func `a command can be numbered once`() throws {
        let node = try ClusterNode("a")
        try node.place()
        var reader = OutboxReader()
        let items = try node.number(&reader, from: 1, at: 5_000)
        #expect(throws: PostgresError.self) {
            try node.connection.write([.number([LoggedItem(number: 2, command: items[0].command)])])
        }
        #expect(try node.connection.items([LogSpan(origin: "a", numbers: 1...9)], max: 9) == items)
    }

    @Test func `a command that too few nodes confirmed is refused, and its number is used`() throws {
        let node = try ClusterNode("a")
        let order = try node.place()
        var reader = OutboxReader()
        var command = try reader.next(node.connection, max: 1)[0]
        command.time = Timestamp(5_000)
        let item = LoggedItem(number: 1, command: command, isUnconfirmed: true, refusal: .unconfirmed)
        try node.connection.write([.number([item])])
        #expect(try node.status(order) == "refused unconfirmed")
        #expect(try node.number("SELECT count(*) FROM pgbook_data.inbox") == 0)
        #expect(try node.connection.items([LogSpan(origin: "a", numbers: 1...1)], max: 1) == [item])
    }

    @Test func `commands of other nodes are stored as they are, once, with what was decided about them`() throws {
        let node = try ClusterNode("a")
        let items: [LoggedItem] = [
            .order(1, from: "b", at: 1_000, id: id(1), clientOrderID: "x"),
            .order(2, from: "b", at: 2_000, id: id(2), refusal: .late),
            .order(5, from: "b", at: 5_000, id: id(5), refusal: .unconfirmed),
            // The same user's same id, taken by two nodes at once, is no reason not to store it.
            .order(1, from: "c", at: 1_000, id: id(6), clientOrderID: "x"),
        ]
        try node.connection.write([.store(items)])
        try node.connection.write([.store(items)])
        let spans = [LogSpan(origin: "b", numbers: 1...9), LogSpan(origin: "c", numbers: 1...9)]
        #expect(try node.connection.items(spans, max: 99) == items)
        #expect(try node.connection.items(spans, max: 2) == Array(items[..<2]))
        #expect(try Set(node.connection.waitingItems().map(\.command.id)) == [id(1), id(6)])
        #expect(try node.status(id(2)) == "refused late")
        #expect(
            try node.connection.storedSpans().map(\.span)
                == [
                    LogSpan(origin: "b", numbers: 1...2), LogSpan(origin: "b", numbers: 5...5),
                    LogSpan(origin: "c", numbers: 1...1),
                ])
        // The second look begins where the first found no gap.
        try node.connection.write([.store([.order(3, from: "b", at: 3_000, id: id(3))])])
        #expect(
            try node.connection.storedSpans().filter { $0.span.origin == "b" }
                == [
                    StoredSpan(span: LogSpan(origin: "b", numbers: 1...3), lastStamp: Timestamp(3_000)),
                    StoredSpan(span: LogSpan(origin: "b", numbers: 5...5), lastStamp: Timestamp(5_000)),
                ])
    }

    @Test func `what was accepted can be refused until it is executed`() throws {
        let node = try ClusterNode("a")
        try node.connection.write([
            .store((1...4).map { .order(Int64($0), from: "b", at: 1_000 * Int64($0), id: id(UInt64($0))) }),
            .refuse([LogSpan(origin: "b", numbers: 2...3)], .late),
        ])
        #expect(try Set(node.connection.waitingItems().map(\.command.id)) == [id(1), id(4)])
        #expect(try (1...4).map { try node.status(id($0)) } == ["pending", "refused late", "refused late", "pending"])
        #expect(try node.number("SELECT count(*) FROM pgbook_data.inbox") == 2)
    }

    @Test(arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
    func `of commands with one id the accepted one is the order, whichever came first`(order: [Int]) throws {
        let node = try ClusterNode("a")
        let items: [LoggedItem] = [
            .order(1, from: "b", at: 2_000, id: id(1), .bid, 5), .order(1, from: "c", at: 1_000, id: id(1), .bid, 7),
            .order(2, from: "c", at: 9_000, id: id(1), .bid, 9, refusal: .late),
        ]
        for index in order { try node.connection.write([.store([items[index]])]) }
        try node.connection.write([.refuse([LogSpan(origin: "b", numbers: 1...1)], .duplicate)])
        #expect(
            try node.rows("SELECT origin, amount, status FROM pgbook.orders") == ["(c,7,pending)"])
        #expect(try node.connection.waitingItems().map(\.command.origin) == ["c"])
        #expect(
            try node.rows("SELECT origin, amount, code FROM pgbook.commands ORDER BY time")
                == ["(c,7,)", "(b,5,duplicate)", "(c,9,late)"])
        #expect(
            try node.connection.items([LogSpan(origin: "b", numbers: 1...1)], max: 1).map(\.refusal) == [.duplicate])
    }

    @Test func `an own command without a stamp gives way to another node's with its id, and is not lost`() throws {
        let node = try ClusterNode("a")
        try node.place(.bid, 5, id: id(1))
        try node.connection.write([.store([.order(1, from: "b", at: 1_000, id: id(1), .bid, 7)])])
        #expect(try node.rows("SELECT origin, amount FROM pgbook.orders") == ["(b,7)"])
        var reader = OutboxReader()
        let items = try node.number(&reader, from: 1, at: 5_000)
        #expect(items.map(\.command.origin) == ["a"])
        try node.connection.write([.refuse([LogSpan(origin: "a", numbers: 1...1)], .duplicate)])
        #expect(try node.number("SELECT count(*) FROM pgbook_data.outbox") == 0)
        #expect(
            try node.rows("SELECT origin, amount, code FROM pgbook.commands ORDER BY time")
                == ["(b,7,)", "(a,5,duplicate)"])
    }

    @Test func `a command whose id is settled is stored as a duplicate, and the sidecar is told`() throws {
        let node = try ClusterNode("a")
        try node.connection.write([
            .store([.order(1, from: "b", at: 1_000, id: id(1)), .order(2, from: "b", at: 3_000, id: id(2))]),
            .close(Timestamp(2_000), chain: nil),
        ])
        let told = try node.connection.write([
            .store([
                .order(1, from: "c", at: 5_000, id: id(1)), .order(2, from: "c", at: 5_000, id: id(3)),
                // This one's is not closed: which of the two is executed is still open.
                .order(3, from: "c", at: 5_000, id: id(2)),
            ])
        ])
        #expect(told == [LogSpan(origin: "c", numbers: 1...1)])
        #expect(
            try node.connection.items([LogSpan(origin: "c", numbers: 1...9)], max: 9).map(\.refusal)
                == [.duplicate, nil, nil])
        // Its own too, where the other came before it had a stamp.
        try node.place(.bid, 5, id: id(4))
        try node.connection.write([
            .store([.order(3, from: "b", at: 6_000, id: id(4))]), .close(Timestamp(7_000), chain: nil),
        ])
        var reader = OutboxReader()
        var command = try reader.next(node.connection, max: 1)[0]
        command.time = Timestamp(9_000)
        #expect(
            try node.connection.write([.number([LoggedItem(number: 1, command: command)])])
                == [LogSpan(origin: "a", numbers: 1...1)])
        #expect(try node.rows("SELECT origin, status FROM pgbook.orders WHERE amount = 5") == [])
    }

    @Test func `what is said of the node stays`() throws {
        let node = try ClusterNode("b")
        let digest = try #require(Digest(bytes: [UInt8](repeating: 7, count: 32)))
        try node.connection.write([
            .close(Timestamp(5_000), chain: digest), .bound(Timestamp(7_000)), .agreed(Timestamp(4_000)),
            .admit(false, because: "no peer"),
        ])
        // What was closed and agreed does not go back; a bound does, once it reached further than what was promised.
        try node.connection.write([
            .close(Timestamp(4_000), chain: nil), .agreed(Timestamp(3_000)), .bound(Timestamp(6_000)),
        ])
        let state = try #require(try node.connection.clusterState())
        #expect(state.clusterID == "test" && state.node == "b" && state.members == ["a", "b", "c"])
        #expect(state.window == ClusterNode.window)
        #expect(state.closedThrough == Timestamp(5_000) && state.chain == digest)
        #expect(state.bound == Timestamp(6_000) && state.agreed == Timestamp(4_000))
        #expect(!state.admits && state.notReady == "no peer" && state.heardAt != nil)
    }

    @Test func `proposals are kept in their order until they are withdrawn`() throws {
        let node = try ClusterNode("a")
        let commands = (1...3).map { LoggedItem.order(0, from: "b", at: 0, id: id($0)).command }
        try node.connection.write([.propose(commands, from: "b"), .propose([commands[0]], from: "b")])
        #expect(try node.connection.proposals().map(\.id) == commands.map(\.id))
        #expect(try node.connection.proposals().map(\.origin) == ["b", "b", "b"])
        try node.connection.write([.withdraw([id(2)])])
        #expect(try node.connection.proposals().map(\.id) == [id(1), id(3)])
    }

    @Test func `a database has one sidecar at a time`() throws {
        let node = try ClusterNode("a")
        #expect(try SidecarSeat(node.database.configuration(as: .node)) == nil)
    }

    @Test func `a market comes from a peer once, and is never another`() throws {
        let node = try ClusterNode("a")
        var market = try #require(try node.connection.sharedMarkets().first)
        try node.connection.addMarketFromPeer(market)
        market.symbol = "N"
        market.tickSize = "0.05"
        market.maxNotional = "1000.5"
        try node.connection.addMarketFromPeer(market)
        #expect(try node.connection.sharedMarkets().last == market)
        market.tickSize = "0.5"
        market.maxNotional = nil
        let error = #expect(throws: StoreError.self) { try node.connection.addMarketFromPeer(market) }
        #expect(
            error?.message
                == "market N is another here: the tick size is 0.05 here and 0.5 there, the largest value in ticks and lots is 1000.5 here and none there"
        )
    }
}

/// Statements that run for every batch must not read more as the tables grow, however the statistics stand.
@Suite struct ClusterPlanTests {
    private let node: ClusterNode
    private let admin: Connection

    init() throws {
        node = try ClusterNode("a")
        admin = try node.database.connection()
    }

    @Test func `a batch reads as few rows of a long log as of a short one`() throws {
        var reader = OutboxReader()
        _ = try rowsRead { try batch(from: 1, &reader) }
        let short = try rowsRead { try batch(from: 101, &reader) }
        try node.connection.write([
            .store((1...5_000).map { .order($0, from: "c", at: $0, id: id(UInt64(100_000 + $0))) })
        ])
        let long = try rowsRead { try batch(from: 201, &reader) }
        #expect(long < short + 100, "\(short) rows were read before, \(long) then")
    }

    private func batch(from first: Int64, _ reader: inout OutboxReader) throws {
        try node.connection.write([
            .store((0..<50).map { .order(first + $0, from: "b", at: first + $0, id: id(UInt64(first + $0))) }),
            .refuse([LogSpan(origin: "b", numbers: first...(first + 1))], .late),
            .propose([LoggedItem.order(0, from: "b", at: 0, id: id(UInt64(first + 90))).command], from: "b"),
            .withdraw([id(UInt64(first + 90))]), .close(Timestamp(first), chain: nil),
        ])
        for _ in 0..<5 { try node.place(clientOrderID: "\(first)") }
        try node.number(&reader, from: first, at: 1_000_000 * first)
        _ = try node.connection.items([LogSpan(origin: "b", numbers: first...(first + 99))], max: 50)
    }

    /// By scans and by indexes, of the tables that grow.
    private func rowsRead(_ body: () throws -> Void) throws -> Int64 {
        let before = try count()
        try body()
        return try count() - before
    }

    private func count() throws -> Int64 {
        // What a session did is counted when it says so.
        try node.connection.execute("SELECT pg_stat_force_next_flush()")
        try node.connection.execute("SELECT")
        return try admin.execute(
            """
            SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_user_tables
            WHERE schemaname = 'pgbook_data'
              AND relname IN ('commands', 'displaced', 'inbox', 'outbox', 'outcomes', 'proposals')
            """
        ).one().decode(at: 0)
    }
}
