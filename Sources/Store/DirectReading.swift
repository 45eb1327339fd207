public import OrderBook
public import Postgres

/// A market's sizes and limits as they stood at a moment that a transaction can prove.
public struct VersionedMarket: Hashable, Sendable {
    public var market: Market
    /// The row's xmin.
    var version: Int64
}

/// An order that a command names, as the log knows it.
public struct LocatedOrder: Hashable, Sendable {
    public var id: OrderID
    public var market: MarketNumber
    public var user: UserID
    /// Its place command was executed.
    public var isExecuted: Bool
}

/// A user's own id of a command.
public struct ClientOrderKey: Hashable, Sendable {
    public var user: UserID
    public var clientOrderID: String
    public init(user: UserID, clientOrderID: String) {
        self.user = user
        self.clientOrderID = clientOrderID
    }
}

extension Connection {
    /// The node's name, the latest stamp given in this database, and its time.
    public func directStart() throws -> (origin: String, stamp: Timestamp, now: Timestamp) {
        let row = try execute(SQL.directStart).one()
        return (
            try row.decode(at: 0), Timestamp(try row.decode(Int64.self, at: 1)),
            Timestamp(try row.decode(PostgresTimestamp.self, at: 2))
        )
    }

    /// All markets that can be read, with their versions. Commands for the others go to the database's own entrance.
    public func versionedMarkets() throws -> [VersionedMarket] {
        Market.list(try execute(SQL.directMarkets)) { market, columns in
            VersionedMarket(market: market, version: try columns.next())
        }.markets
    }

    /// Of these orders those that the log knows.
    public func locate(_ orders: [OrderID]) throws -> [LocatedOrder] {
        try execute(SQL.locateOrders, orders.map(\.uuid)).map { row in
            LocatedOrder(
                id: OrderID(try row.decode(PostgresUUID.self, at: 0)),
                market: MarketNumber(rawValue: try row.decode(at: 1)), user: UserID(try row.decode(String.self, at: 2)),
                isExecuted: try row.decode(at: 3))
        }
    }

    /// Of these ids and users' own ids those that stand in the log.
    public func knownCommands(
        _ ids: [OrderID], _ keys: [ClientOrderKey]
    ) throws -> (ids: Set<OrderID>, keys: Set<ClientOrderKey>) {
        var known: (ids: Set<OrderID>, keys: Set<ClientOrderKey>) = ([], [])
        for row in try execute(
            SQL.knownCommands, ids.map(\.uuid), keys.map(\.user.rawValue), keys.map(\.clientOrderID))
        {
            if let id = try row.decode(PostgresUUID?.self, at: 0) {
                known.ids.insert(OrderID(id))
            } else {
                known.keys.insert(
                    ClientOrderKey(
                        user: UserID(try row.decode(String.self, at: 1)), clientOrderID: try row.decode(at: 2)))
            }
        }
        return known
    }

    /// When the next gtd order after a time expires.
    public func nextExpiry(_ market: MarketNumber, after time: Timestamp) throws -> Timestamp? {
        try execute(SQL.nextExpiry, market.rawValue, time.postgres).first.map {
            Timestamp(try $0.decode(PostgresTimestamp.self, at: 0))
        }
    }
}
