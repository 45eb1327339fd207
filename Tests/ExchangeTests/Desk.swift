import Exchange
import OrderBook
import Postgres
import Store
import TestSupport

/// A test's database with one market of tick 1 and lot 1, and short words for what tests do there.
struct Desk {
    let database: TestDatabase
    let connection: Connection
    let market: Market
    var limits = ExchangeLimits()

    init(database: TestDatabase, connection: Connection, market: Market) {
        self.database = database
        self.connection = connection
        self.market = market
    }

    init() throws {
        database = try TestDatabase()
        try database.addMarket("TEST", tick: "1", lot: "1")
        connection = try database.connection(as: .node)
        market = try connection.markets()[0]
    }

    /// Enters a command and returns its id.
    @discardableResult
    func enter(
        _ action: Entry.Action, user: String = "ann", id: OrderID? = nil, clientOrderID: String? = nil
    ) throws -> OrderID {
        let entry = Entry(
            id: id, user: UserID(user), market: market.symbol, clientOrderID: clientOrderID, action: action)
        switch try connection.enter([entry])[0] {
        case .admitted(let id, _): return id
        case .refused(let rejection): throw rejection
        }
    }

    @discardableResult
    func place(
        _ side: Side, _ amount: Int128, at price: Int128?, user: String = "ann", _ timeInForce: TimeInForce = .gtc,
        postOnly: Bool = false, prevention: SelfTradePrevention? = nil
    ) throws -> OrderID {
        try enter(
            .place(
                PlaceEntry(
                    side: side, amount: whole(amount), price: price.map(whole), timeInForce: timeInForce,
                    postOnly: postOnly, selfTradePrevention: prevention)),
            user: user)
    }

    /// Executes everything that waits; returns how many commands that were.
    @discardableResult
    func match(_ due: MatchingBatch.Due = .everything) throws -> Int {
        var count = 0
        while let report = try batch(due).run() { count += report.commands }
        return count
    }

    func batch(_ due: MatchingBatch.Due = .everything) -> MatchingBatch {
        MatchingBatch(MatchingTransaction(connection, market: market), due: due, limits: limits)
    }

    /// `status filled remaining` of an order, as people see it.
    func status(_ id: OrderID) throws -> String {
        let row = try connection.execute(
            "SELECT status || ' ' || filled || ' ' || remaining FROM pgbook.orders WHERE id = $1",
            PostgresUUID(high: id.high, low: id.low)
        ).one()
        return try row.decode(at: 0)
    }

    /// The outcome's code of a command; nil while it waits.
    func code(_ id: OrderID) throws -> String? {
        try connection.execute(
            "SELECT code FROM pgbook.commands WHERE id = $1", PostgresUUID(high: id.high, low: id.low)
        ).one().decode(at: 0)
    }

    func verify() throws -> Verification.Report {
        try Verification(connection).run(market)
    }

    /// A number read by SQL.
    func number(_ sql: String) throws -> Int64 {
        try connection.execute(sql).one().decode(at: 0)
    }
}

func whole(_ number: Int128) -> PostgresNumeric { PostgresNumeric(unscaled: number, scale: 0) }
