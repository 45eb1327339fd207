import Exchange
import OrderBook
import Postgres
import Store
import TestRandom
import TestSupport
import Testing

/// What people see of a node, in rows that must be the same on every node that has closed the same.
private let shown = [
    """
    SELECT id, time, user_id, type, exec_type, amount, price, security, status, filled, remaining, avg_price, reason,
           time_in_force, post_only, self_trade_prevention, expires, client_order_id, origin, seq
    FROM pgbook.orders ORDER BY id
    """,
    """
    SELECT id, time, security, user_id, kind, target, seq, code, amount, price, filled, remaining, dropped, avg_price,
           client_order_id, origin FROM pgbook.commands ORDER BY id, time, origin
    """,
    "SELECT * FROM pgbook.book ORDER BY id", "SELECT * FROM pgbook.trades ORDER BY security, id",
    "SELECT * FROM pgbook.candles_1m ORDER BY security, time", "SELECT * FROM pgbook.markets ORDER BY security",
    "SELECT origin, number, id, time, verdict, is_unconfirmed FROM pgbook_data.node_log ORDER BY origin, number",
]

extension ClusterNode {
    /// Executes what is closed.
    func execute(batchMax: Int = 1_000) throws {
        var limits = ExchangeLimits()
        limits.commandsPerBatchMax = batchMax
        let due = MatchingBatch.Due(closed: try #require(try connection.clusterState()).closedThrough)
        for market in try connection.markets() {
            let batch = MatchingBatch(
                MatchingTransaction(connection, market: market), due: due, limits: limits)
            while try batch.run() != nil {}
        }
    }

    func verify() throws -> [Verification.Difference] {
        try connection.markets().flatMap { try Verification(connection).run($0).differences }
    }

    func expectSame(as other: ClusterNode, sourceLocation: SourceLocation = #_sourceLocation) throws {
        for sql in shown {
            let (mine, theirs) = (try rows(sql), try other.rows(sql))
            let first = zip(mine, theirs).first { $0 != $1 }
            #expect(
                mine == theirs,
                "\(name) has \(first?.0 ?? "\(mine.count) rows"), \(other.name) \(first?.1 ?? "\(theirs.count)")",
                sourceLocation: sourceLocation)
        }
    }
}

/// Three nodes without sidecars: what each enters is brought to the others in any order.
struct RandomCluster {
    var nodes: [ClusterNode]
    private var readers = [OutboxReader(), OutboxReader(), OutboxReader()]
    private var numbers: [Int64] = [0, 0, 0]
    private var flow: RandomFlow
    private(set) var clock: Int64 = 1_700_000_000_000_000
    /// What was told to all nodes so far, for one that joins later.
    private(set) var told: [LoggedItem] = []

    init(seed: UInt64) throws {
        flow = RandomFlow(seed: seed)
        nodes = [
            try ClusterNode("a", markets: ["M", "N"]), try ClusterNode("b", markets: ["N", "M"]),
            try ClusterNode("c", markets: ["M", "N"]),
        ]
    }

    /// Commands enter, are numbered, and reach the nodes; then the time is closed on all of them and executed.
    mutating func round(commands: Int, reaching reached: [Int] = [0, 1, 2]) throws {
        clock += 1_000
        for _ in 0..<commands { try enter(at: flow.number(below: nodes.count)) }
        let items = try number()
        for item in items where item.refusal == nil || flow.number(below: 2) == 0 { told.append(item) }
        told = told.filter { $0.command.time <= Timestamp(clock) }
        try bring(items, to: reached)
        clock += 1_000
        for node in reached { try close(node) }
    }

    private mutating func enter(at index: Int) throws {
        let node = nodes[index]
        let market = try node.connection.markets()[flow.number(below: 2)]
        var entry = flow.entry(market)
        // Two users' ids of their own that nodes may take at the same time.
        if flow.number(below: 4) == 0 { entry.clientOrderID = "k\(flow.number(below: 30))" }
        _ = try node.connection.enter([entry])
    }

    private mutating func number() throws -> [LoggedItem] {
        var items: [LoggedItem] = []
        for index in nodes.indices {
            var own: [LoggedItem] = []
            for (offset, command) in try readers[index].next(nodes[index].connection, max: 1_000).enumerated() {
                numbers[index] += 1
                var stamped = command
                // Nodes share timestamps.
                stamped.time = Timestamp(clock + Int64(offset))
                let isUnconfirmed = flow.number(below: 20) == 0
                own.append(
                    LoggedItem(
                        number: numbers[index], command: stamped, isUnconfirmed: isUnconfirmed,
                        refusal: isUnconfirmed ? .unconfirmed : nil))
            }
            try nodes[index].connection.write([.number(own)])
            // Some are too late for all.
            for position in own.indices where own[position].refusal == nil && flow.number(below: 20) == 0 {
                own[position].refusal = .late
                let span = LogSpan(
                    origin: nodes[index].name, numbers: own[position].number...own[position].number)
                try nodes[index].connection.write([.refuse([span], .late)])
            }
            items += own
        }
        return items
    }

    private mutating func bring(_ items: [LoggedItem], to reached: [Int]) throws {
        for index in reached {
            var rest = items.filter { $0.command.origin != nodes[index].name }
            while !rest.isEmpty {
                var part: [LoggedItem] = []
                for _ in 0...flow.number(below: 5) where !rest.isEmpty {
                    part.append(rest.remove(at: flow.number(below: rest.count)))
                }
                // Some come twice.
                try nodes[index].connection.write([.store(part), .store(Array(part.prefix(1)))])
            }
        }
    }

    private mutating func close(_ index: Int) throws {
        let node = nodes[index]
        if flow.number(below: 2) == 0 {
            try node.connection.write([.close(Timestamp(clock - 1_000 + Int64(flow.number(below: 20))), chain: nil)])
            try node.execute(batchMax: 1 + flow.number(below: 9))
        }
        try node.connection.write([.close(Timestamp(clock), chain: nil)])
        try node.execute(batchMax: 1 + flow.number(below: 50))
    }
}

@Suite struct ClusterBookTests {
    private func id(_ number: UInt64) -> OrderID { OrderID(high: 0, low: number) }

    @Test(arguments: [3, 11, 58] as [UInt64])
    func `nodes that get the same commands in another order have the same rows`(seed: UInt64) throws {
        var cluster = try RandomCluster(seed: seed)
        for _ in 0..<12 { try cluster.round(commands: 40) }
        try cluster.nodes[0].expectSame(as: cluster.nodes[1])
        try cluster.nodes[0].expectSame(as: cluster.nodes[2])
        for node in cluster.nodes { #expect(try node.verify() == [], "seed \(seed)") }
        let codes = try Set(
            cluster.nodes[0].rows("SELECT DISTINCT code FROM pgbook.commands").map { $0 })
        #expect(codes.isSuperset(of: ["(late)", "(unconfirmed)", "(duplicate)", "(filled)", "(open)"]), "\(codes)")
        #expect(try cluster.nodes[0].number("SELECT count(*) FROM pgbook.trades") > 50)
    }

    @Test func `nothing is executed before it is closed`() throws {
        let node = try ClusterNode("a")
        try node.connection.write([
            .store([.order(1, from: "b", at: 1_000, id: id(1)), .order(2, from: "b", at: 2_000, id: id(2))]),
            .close(Timestamp(1_999), chain: nil),
        ])
        try node.execute()
        #expect(try node.status(id(1)) == "open" && node.status(id(2)) == "pending")
        #expect(try node.verify() == [])
    }

    @Test
    func `of two commands with one user's own id the first in the order of execution counts, also in another market`()
        throws
    {
        let node = try ClusterNode("a", markets: ["M", "N"])
        try node.connection.write([
            .store([
                .order(1, from: "c", at: 3_000, id: id(3), clientOrderID: "x"),
                .order(1, from: "b", at: 2_000, id: id(2), market: "N", clientOrderID: "x"),
                // What was refused before its execution does not count.
                .order(2, from: "b", at: 1_000, id: id(1), clientOrderID: "x", refusal: .late),
                // In one pool the bytes of the whole command decide: of these two the amount.
                .order(3, from: "b", at: 5_000, id: id(5), .bid, 2, clientOrderID: "y"),
                .order(2, from: "c", at: 5_000, id: id(4), .bid, 1, clientOrderID: "y"),
            ]),
            .close(Timestamp(9_000), chain: nil),
        ])
        try node.execute()
        #expect(
            try [1, 2, 3, 4, 5].map { try node.status(id($0)) }
                == ["refused late", "open", "refused duplicate", "open", "refused duplicate"])
        #expect(try node.verify() == [])
    }

    @Test func `the direct path is off`() throws {
        let node = try ClusterNode("a")
        let exchange = try DirectExchange(node.connection)
        let entry = Entry(
            user: UserID("ann"), market: "M",
            action: .place(PlaceEntry(side: .bid, amount: whole(1), price: whole(100))))
        _ = exchange.submit([entry])
        _ = exchange.finish()
        #expect(try node.number("SELECT count(*) FROM pgbook_data.outbox") == 1)
        #expect(try node.number("SELECT count(*) FROM pgbook_data.executions") == 0)
    }

    @Test func `a market in memory is given up when the database joins a cluster`() throws {
        let desk = try Desk()
        let exchange = try DirectExchange(desk.connection)
        let entry = Entry(
            user: UserID("ann"), market: desk.market.symbol,
            action: .place(PlaceEntry(side: .bid, amount: whole(1), price: whole(100))))
        _ = exchange.submit([entry])
        _ = exchange.finish()
        try desk.database.connection().createCluster(id: "t", node: "a", members: ["a", "b"], window: 1_000)
        try desk.database.connection().write([.admit(true, because: nil)])
        _ = exchange.submit([entry])
        _ = exchange.finish()
        #expect(try desk.number("SELECT count(*) FROM pgbook_data.executions") == 1)
        #expect(try desk.number("SELECT count(*) FROM pgbook_data.outbox") == 1)
    }
}

/// A node takes over the whole state of a peer.
@Suite struct TakeoverTests {
    private func id(_ number: UInt64) -> OrderID { OrderID(high: 0, low: number) }

    /// In pieces of an odd size.
    private func copy(from source: ClusterNode, to target: ClusterNode) throws -> Int64 {
        var bytes: [UInt8] = []
        try source.database.connection(as: .node).giveState { bytes += $0 }
        return try take(bytes, from: source, to: target)
    }

    @discardableResult
    private func take(_ bytes: [UInt8], from source: ClusterNode, to target: ClusterNode) throws -> Int64 {
        var rest = bytes[...]
        return try target.database.connection(as: .node).takeState(from: source.name) {
            defer { rest = rest.dropFirst(1_000) }
            return rest.isEmpty ? nil : Array(rest.prefix(1_000))
        }
    }

    @Test func `a node without a history becomes equal to its peer, and goes on with it`() throws {
        var cluster = try RandomCluster(seed: 5)
        for _ in 0..<6 { try cluster.round(commands: 40, reaching: [0, 1]) }
        // It remembers what it finds without a gap.
        let spans = try cluster.nodes[1].connection.storedSpans()
        #expect(!spans.isEmpty)
        // Its own commands have reached the others, and its markets have other numbers.
        #expect(try copy(from: cluster.nodes[1], to: cluster.nodes[2]) == 0)
        try cluster.nodes[2].expectSame(as: cluster.nodes[0])
        #expect(try cluster.nodes[2].verify() == [])
        // A start looks no further back than at its peer.
        let stored = "SELECT name, stored_through FROM pgbook_data.members ORDER BY name"
        #expect(try cluster.nodes[2].rows(stored) == cluster.nodes[1].rows(stored))
        for _ in 0..<3 { try cluster.round(commands: 40) }
        try cluster.nodes[2].expectSame(as: cluster.nodes[0])
        try cluster.nodes[1].expectSame(as: cluster.nodes[0])
    }

    @Test func `what entered here and has no stamp stays, and what the peer lacks is late`() throws {
        let (source, target) = (try ClusterNode("b"), try ClusterNode("a"))
        var reader = OutboxReader()
        let lost = try target.place(.bid, 1)
        let known = try target.place(.bid, 2)
        let waiting = try target.place(.bid, 3)
        let items = try target.number(&reader, from: 1, at: 1_000)
        // The second reached the peer, and its pool is closed there; the third's is not.
        try source.connection.write([.store([items[1]]), .close(Timestamp(1_010), chain: nil)])
        try source.execute()
        let unstamped = try target.place(.bid, 4, clientOrderID: "mine")
        #expect(try copy(from: source, to: target) == 0)
        #expect(
            try [lost, known, waiting, unstamped].map { try target.status($0) }
                == ["refused late", "open", "pending", "pending"])
        #expect(try target.place(.bid, 4, clientOrderID: "mine") == unstamped)
        #expect(try target.connection.waitingItems().map(\.command.id) == [waiting])
        var again = OutboxReader()
        #expect(try again.next(target.connection, max: 9).map(\.id) == [unstamped])
        #expect(try target.connection.storedSpans().map(\.span) == [LogSpan(origin: "a", numbers: 1...3)])
        #expect(try target.number(&reader, from: 4, at: 9_000).count == 1)
        #expect(try target.verify() == [])
    }

    @Test func `commands whose outcome is another are listed`() throws {
        let (source, target) = (try ClusterNode("b"), try ClusterNode("a"))
        let both: LoggedItem = .order(1, from: "c", at: 1_000, id: id(1), .ask)
        try source.connection.write([.store([both]), .close(Timestamp(5_000), chain: nil)])
        // Only the target got this one in time.
        try target.connection.write([
            .store([both, .order(2, from: "c", at: 2_000, id: id(2))]), .close(Timestamp(5_000), chain: nil),
        ])
        for node in [source, target] { try node.execute() }
        try source.connection.write([.store([.order(2, from: "c", at: 2_000, id: id(2), refusal: .late)])])
        #expect(try target.status(id(2)) == "filled")
        #expect(try copy(from: source, to: target) == 1)
        #expect(
            try target.rows(
                "SELECT id, code_before, filled_before, code_after, filled_after, rebuilt_from FROM pgbook.divergence")
                == ["(00000000-0000-0000-0000-000000000002,filled,1,late,0,b)"])
        #expect(try target.rows("SELECT id FROM pgbook.book").count == 1)
        try target.expectSame(as: source)
    }

    @Test func `of a state that is damaged, cut off, of another cluster or another schema nothing is taken`() throws {
        let (source, target) = (try ClusterNode("b"), try ClusterNode("a"))
        try source.connection.write([.store([.order(1, from: "c", at: 1_000, id: id(1))])])
        try target.place(.bid, 7)
        var bytes: [UInt8] = []
        try source.database.connection(as: .node).giveState { bytes += $0 }
        let before = try target.rows("SELECT * FROM pgbook_data.commands")
        var flipped = bytes
        flipped[bytes.count - 100] ^= 1
        var otherSchema = bytes
        otherSchema[6] ^= 1
        for (wrong, why) in [
            (flipped, "flipped"), (Array(bytes.dropLast(1)), "cut"), (Array(bytes.prefix(bytes.count / 2)), "short"),
            (otherSchema, "another schema"), ([], "empty"), ([UInt8](repeating: 255, count: 100), "nonsense"),
        ] {
            #expect(throws: (any Error).self, "\(why)") { try take(wrong, from: source, to: target) }
            #expect(try target.rows("SELECT * FROM pgbook_data.commands") == before, "\(why)")
        }
        try source.database.connection().execute("UPDATE pgbook_data.cluster SET cluster_id = 'another'")
        var other: [UInt8] = []
        try source.database.connection(as: .node).giveState { other += $0 }
        let error = #expect(throws: StoreError.self) { try take(other, from: source, to: target) }
        #expect(error?.message.contains("of another cluster") == true)
    }
}
