public import OrderBook
public import Postgres
public import Store

/// A database that is a node of a cluster of the nodes a, b and c, with short words for what its sidecar does.
public struct ClusterNode {
    public static let window: Int64 = 3_000_000

    public let name: String
    public let database: TestDatabase
    public let connection: Connection
    /// That of its sidecar, where this is one.
    public let seat: SidecarSeat?

    public init(name: String, database: TestDatabase, connection: Connection) {
        seat = nil
        self.name = name
        self.database = database
        self.connection = connection
    }

    /// - Parameter markets: each with tick 1 and lot 1; in another order where the node shall number them otherwise.
    public init(_ name: String, markets: [String] = ["M"], admits: Bool = true) throws {
        self.name = name
        database = try TestDatabase()
        for market in markets { try database.addMarket(market, tick: "1", lot: "1") }
        connection = try database.connection(as: .node)
        try connection.createCluster(id: "test", node: name, members: ["c", "a", "b"], window: Self.window)
        guard let seat = try SidecarSeat(database.configuration(as: .node)) else {
            throw TestFault("somebody else is the sidecar of \(name)")
        }
        self.seat = seat
        try connection.beginSidecar(seat)
        if admits { try connection.write([.admit(true, because: nil)]) }
    }

    /// Enters a command; returns its id, or throws the refusal.
    @discardableResult
    public func enter(
        _ action: Entry.Action, market: String = "M", user: String = "ann", id: OrderID? = nil,
        clientOrderID: String? = nil
    ) throws -> OrderID {
        let entry = Entry(id: id, user: UserID(user), market: market, clientOrderID: clientOrderID, action: action)
        switch try connection.enter([entry])[0] {
        case .admitted(let id, _): return id
        case .refused(let rejection): throw rejection
        }
    }

    /// A limit order.
    @discardableResult
    public func place(
        _ side: Side = .bid, _ amount: Int128 = 1, at price: Int128 = 100, user: String = "ann", id: OrderID? = nil,
        clientOrderID: String? = nil
    ) throws -> OrderID {
        try enter(
            .place(
                PlaceEntry(
                    side: side, amount: PostgresNumeric(unscaled: amount, scale: 0),
                    price: PostgresNumeric(unscaled: price, scale: 0))),
            user: user, id: id, clientOrderID: clientOrderID)
    }

    /// Numbers what has entered, from a number on, at stamps 10 µs apart.
    @discardableResult
    public func number(
        _ reader: inout OutboxReader, from number: Int64, at stamp: Int64
    ) throws -> [LoggedItem] {
        var items: [LoggedItem] = []
        for (offset, command) in try reader.next(connection, max: 10_000).enumerated() {
            var stamped = command
            stamped.time = Timestamp(stamp + 10 * Int64(offset))
            items.append(LoggedItem(number: number + Int64(offset), command: stamped))
        }
        try connection.write([.number(items)])
        return items
    }

    /// `status` of an order as people see it, and why.
    public func status(_ id: OrderID) throws -> String {
        try connection.execute(
            "SELECT concat_ws(' ', status, reason) FROM pgbook.orders WHERE id = $1",
            PostgresUUID(high: id.high, low: id.low)
        ).one().decode(at: 0)
    }

    /// Every row of a query as text.
    public func rows(_ sql: String) throws -> [String] {
        try connection.execute("SELECT r::text FROM (\(sql)) r").map { try $0.decode(at: 0) }
    }

    public func number(_ sql: String) throws -> Int64 { try connection.execute(sql).one().decode(at: 0) }
}

extension LoggedItem {
    /// A limit order that another node brings.
    public static func order(
        _ number: Int64, from origin: String, at stamp: Int64, id: OrderID, _ side: Side = .bid, _ amount: Int64 = 1,
        price: Int64 = 100, user: String = "bob", market: String = "M", clientOrderID: String? = nil,
        refusal: OutcomeCode? = nil
    ) -> LoggedItem {
        LoggedItem(
            number: number,
            command: Command(
                id: id, time: Timestamp(stamp), market: market, user: UserID(user), origin: origin,
                clientOrderID: clientOrderID,
                action: .place(Place(side: side, price: PriceTicks(price), amount: AmountLots(amount)))),
            isUnconfirmed: refusal == .unconfirmed, refusal: refusal)
    }
}
