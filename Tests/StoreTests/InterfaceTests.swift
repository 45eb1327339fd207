import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// Gives a command its outcome, and announces it.
private func execute(_ id: OrderID, seq: Int64, code: OutcomeCode = .open, on connection: Connection) throws {
    try connection.execute(
        """
        WITH done AS (DELETE FROM pgbook_data.inbox WHERE id = $1::text::uuid RETURNING id, market)
        INSERT INTO pgbook_data.outcomes (id, market, seq, code, filled, remaining, dropped, notional, digest_head)
        SELECT id, market, $2, $3, 0, 0, 0, 0, 0 FROM done
        """, id.description, seq, code.rawValue)
    try connection.execute("SELECT pg_notify('pgbook_books', '')")
}

/// Reading through the interface, with rows as the matcher leaves them.
@Suite struct InterfaceTests {
    private let database: TestDatabase
    private let trader: Connection
    private let node: Connection

    init() throws {
        database = try TestDatabase()
        try database.addMarket("M")
        trader = try database.connection(as: .trader)
        node = try database.connection(as: .node)
    }

    private func place(_ side: Side, _ amount: String, _ price: String?) throws -> OrderID {
        try trader.placeOrder(
            PlaceEntry(
                side: side, amount: try #require(PostgresNumeric(amount)), price: price.flatMap { PostgresNumeric($0) }),
            market: "M"
        ).get()
    }

    @Test func `a command has no outcome until it is executed`() throws {
        let id = try place(.bid, "1", "100")
        let commands = try trader.waitForOutcomes(of: [id], until: .now)
        #expect(commands.map(\.id) == [id])
        #expect(commands.first?.code == nil)
        #expect(try trader.order(id)?.status == "pending")
    }

    @Test func `waiting for outcomes ends with the notification, not with the poll`() async throws {
        let id = try place(.bid, "1", "100")
        let (waiter, other) = (try database.session(as: .trader), try database.session(as: .node))
        try await waiter.run { try $0.listenForOutcomes() }
        async let waited = waiter.run { connection in
            // A poll would come long after the test's patience.
            try connection.waitForOutcomes(of: [id], until: .now + .seconds(20), pollInterval: .seconds(600))
        }
        try await other.run { connection in try execute(id, seq: 1, on: connection) }
        #expect(try await waited.first?.code == .open)
    }

    @Test func `a lost notification costs one poll`() async throws {
        let id = try place(.bid, "1", "100")
        // Without LISTEN every notification is lost.
        let (waiter, other) = (try database.session(as: .trader), try database.session(as: .node))
        async let waited = waiter.run { connection in
            try connection.waitForOutcomes(of: [id], until: .now + .seconds(20), pollInterval: .milliseconds(20))
        }
        try await other.run { connection in try execute(id, seq: 1, on: connection) }
        #expect(try await waited.first?.seq == Seq(1))
    }

    @Test func `waiting ends when it is stopped`() throws {
        let id = try place(.bid, "1", "100")
        let commands = try trader.waitForOutcomes(of: [id], until: .now + .seconds(600), isStopped: { true })
        #expect(commands.first?.code == nil)
    }

    @Test func `the fills of a command are found also where the market's clock was ahead of it`() throws {
        for (index, delay) in ["0 s", "1 us", "30 s", "10 h", "400 d"].enumerated() {
            let seq = Int64(index + 1)
            let id = try place(.bid, "1", "100")
            try node.execute(
                """
                WITH done AS (DELETE FROM pgbook_data.inbox WHERE id = $1::text::uuid RETURNING *), trade AS (
                    INSERT INTO pgbook_data.trades (time, trade_id, seq, taker_order, maker_order, price, amount, market,
                                                    taker_side, taker_user, maker_user)
                    SELECT d.time + $3::text::interval, $2, $2, d.id, gen_random_uuid(), 200, 1000, d.market, 0, 'a', 'b'
                    FROM done d
                )
                INSERT INTO pgbook_data.outcomes (id, market, seq, code, filled, remaining, dropped, notional, digest_head)
                SELECT id, market, $2, 2, 1000, 0, 0, 200000, 0 FROM done
                """, id.description, seq, delay)
            let command = try #require(try trader.command(id))
            #expect(command.filled?.description == "1")
            let fills = try trader.fills(of: command)
            #expect(fills.map(\.id) == [TradeID(seq)], "\(delay)")
            #expect(fills.first?.total.description == "100")
        }
    }

    @Test func `decimals come back exactly`() throws {
        let lot = "0.00000000000001"
        #expect(throws: Never.self) {
            try node.addMarket(
                NewMarket(
                    name: "FINE", tickSize: try #require(PostgresNumeric("0.0000000000001")),
                    lotSize: try #require(PostgresNumeric(lot)))
            ).get()
        }
        let market = try #require(try trader.marketRecords(named: "FINE").first)
        #expect(market.lotSize.description == lot)
        let amount = "9.99999999999999"
        let id = try trader.placeOrder(
            PlaceEntry(
                side: .ask, amount: try #require(PostgresNumeric(amount)),
                price: PostgresNumeric("0.0234567890123")), market: "FINE"
        ).get()
        let order = try #require(try trader.order(id))
        #expect(order.amount.description == amount)
        #expect(order.price?.description == "0.0234567890123")
    }

    @Test func `every option of an order is stored and shown`() throws {
        let expires = Timestamp(4_102_444_800_123_456)
        let id = try trader.placeOrder(
            PlaceEntry(
                side: .ask, amount: try #require(PostgresNumeric("2")), price: PostgresNumeric("100"),
                timeInForce: .gtd(expires: expires), postOnly: true, selfTradePrevention: .cancelBoth),
            market: "M", clientOrderID: "mine"
        ).get()
        let order = try #require(try trader.order(clientOrderID: "mine"))
        #expect(order.id == id)
        #expect(order.side == .ask)
        #expect(order.execType == "limit")
        #expect(order.timeInForce == "gtd")
        #expect(order.expires == expires)
        #expect(order.postOnly)
        #expect(order.selfTradePrevention == "cb")
        #expect(order.user.rawValue == TestServer.Login.trader.rawValue)
        let market = try #require(try trader.order(place(.bid, "1", nil)))
        #expect(market.execType == "market")
        #expect(market.price == nil)
    }

    @Test func `what waits is counted per market, and is stuck when it is old`() throws {
        #expect(try trader.waiting(stuckAfterSeconds: 0).isEmpty)
        _ = try place(.bid, "1", "100")
        _ = try place(.bid, "1", "100")
        let waiting = try trader.waiting(stuckAfterSeconds: 3600)
        #expect(waiting.map(\.commands) == [2])
        #expect(waiting.first?.isStuck == false)
        #expect(try trader.waiting(stuckAfterSeconds: 0).first?.isStuck == true)
    }
}
