public import OrderBook
public import Postgres

// The public SQL interface, for whoever acts with the rights of the role that is connected. The gateway and the matcher
// use the batch entrance instead: `Connection.enter`.

extension Connection {
    /// Places an order; a retry with the same `clientOrderID` or `id` returns the first one's id.
    /// - Parameter user: whom to act for; nil is the role itself. Only a node may act for others.
    /// - Returns: the order's id, or why it was refused; then nothing was stored.
    public func placeOrder(
        _ order: PlaceEntry, market: String, user: UserID? = nil, clientOrderID: String? = nil, id: OrderID? = nil
    ) throws(PostgresError) -> Result<OrderID, Rejection> {
        try give(
            SQL.placeOrder, market, order.side.word, order.amount, order.price, order.timeInForce.word, order.postOnly,
            order.selfTradePrevention?.word, order.timeInForce.expires?.postgres, clientOrderID, user?.rawValue,
            id?.uuid)
    }

    /// Gives an order a new total amount, a new price, or both.
    /// - Returns: the command's id, or why it was refused.
    public func amendOrder(
        _ id: OrderID, amount: PostgresNumeric?, price: PostgresNumeric?, user: UserID? = nil,
        clientOrderID: String? = nil
    ) throws(PostgresError) -> Result<OrderID, Rejection> {
        try give(SQL.amendOrder, id.uuid, amount, price, clientOrderID, user?.rawValue)
    }

    /// Takes an amount off what is open of an order; it keeps its place.
    /// - Returns: the command's id, or why it was refused.
    public func reduceOrder(
        _ id: OrderID, by amount: PostgresNumeric, user: UserID? = nil, clientOrderID: String? = nil
    ) throws(PostgresError) -> Result<OrderID, Rejection> {
        try give(SQL.reduceOrder, id.uuid, amount, clientOrderID, user?.rawValue)
    }

    /// - Returns: the command's id, or why it was refused.
    public func cancelOrder(
        _ id: OrderID, user: UserID? = nil, clientOrderID: String? = nil
    ) throws(PostgresError) -> Result<OrderID, Rejection> {
        try give(SQL.cancelOrder, id.uuid, clientOrderID, user?.rawValue)
    }

    /// Cancels a user's orders in a market, or in all markets, on one side or both.
    /// - Parameter everybody: all users' orders; only a node may ask for it.
    /// - Returns: the command's id for each market, or why it was refused.
    public func cancelAllOrders(
        market: String? = nil, side: Side? = nil, user: UserID? = nil, everybody: Bool = false
    ) throws(PostgresError) -> Result<[(id: OrderID, market: String)], Rejection> {
        try refusable { connection throws(PostgresError) in
            let rows = try connection.execute(SQL.cancelAllOrders, market, side?.word, user?.rawValue, everybody)
            var commands: [(id: OrderID, market: String)] = []
            for row in rows { commands.append((OrderID(try row.decode(at: 0)), try row.decode(at: 1))) }
            return commands
        }
    }

    /// Adds a market; sizes and limits are decimals in quote and base units.
    public func addMarket(_ market: NewMarket) throws(PostgresError) -> Result<Void, Rejection> {
        try refusable { connection throws(PostgresError) in
            try connection.execute(
                SQL.addMarket, market.name, market.tickSize, market.lotSize, market.amountMax, market.notionalMax,
                market.priceMin, market.priceMax)
        }
    }

    /// - Returns: the command's id, or why it was refused.
    public func haltMarket(_ market: String) throws(PostgresError) -> Result<OrderID, Rejection> {
        try give(SQL.haltMarket, market)
    }

    /// - Returns: the command's id, or why it was refused.
    public func resumeMarket(_ market: String) throws(PostgresError) -> Result<OrderID, Rejection> {
        try give(SQL.resumeMarket, market)
    }

    /// Runs a statement that returns the id of the command it gave.
    private func give(
        _ sql: String, _ parameters: any PostgresEncodable...
    ) throws(PostgresError) -> Result<OrderID, Rejection> {
        try refusable { connection throws(PostgresError) in
            OrderID(try connection.execute(sql, with: parameters).one().decode(at: 0))
        }
    }

    private func refusable<R>(
        _ body: (Connection) throws(PostgresError) -> R
    ) throws(PostgresError) -> Result<R, Rejection> {
        do throws(PostgresError) {
            return .success(try body(self))
        } catch {
            guard let rejection = Rejection(error, role: user) else { throw error }
            return .failure(rejection)
        }
    }
}

/// A market to be added; nil limits are the schema's own.
public struct NewMarket: Sendable, Hashable {
    public var name: String
    public var tickSize: PostgresNumeric
    public var lotSize: PostgresNumeric
    public var amountMax: PostgresNumeric?
    public var notionalMax: PostgresNumeric?
    public var priceMin: PostgresNumeric?
    public var priceMax: PostgresNumeric?

    public init(
        name: String, tickSize: PostgresNumeric, lotSize: PostgresNumeric, amountMax: PostgresNumeric? = nil,
        notionalMax: PostgresNumeric? = nil, priceMin: PostgresNumeric? = nil, priceMax: PostgresNumeric? = nil
    ) {
        self.name = name
        self.tickSize = tickSize
        self.lotSize = lotSize
        self.amountMax = amountMax
        self.notionalMax = notionalMax
        self.priceMin = priceMin
        self.priceMax = priceMax
    }
}

extension Rejection {
    /// What the interface's exceptions say: SQLSTATE PBnnn, `code: why`, and the field as the column. A role without
    /// the right to call a function at all is refused likewise.
    init?(_ error: PostgresError, role: String) {
        guard error.kind == .server, let state = error.sqlState?.code else { return nil }
        if error.isMissingRight {
            self.init(
                code: .notPermitted,
                message:
                    "role \(role) may not do this (\(error.message)); it takes a member of pgbook_trader or pgbook_node"
            )
            return
        }
        guard state.hasPrefix("PB"), let number = Int16(state.dropFirst(2)), let code = OutcomeCode(rawValue: number)
        else { return nil }
        let prefix = code.name + ": "
        let message = error.message.hasPrefix(prefix) ? String(error.message.dropFirst(prefix.count)) : error.message
        self.init(code: code, message: message, field: error.column)
    }
}
