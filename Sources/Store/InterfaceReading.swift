public import OrderBook
public import Postgres

// Reading through the public SQL interface; a member of pgbook_reader may do all of it.

extension Connection {
    /// All markets by name, or the named one.
    public func marketRecords(named name: String? = nil) throws(PostgresError) -> [MarketRecord] {
        var markets: [MarketRecord] = []
        for row in try execute(SQL.listMarkets, name) {
            // A market that cannot be read is set aside, and told of there.
            if let market = try? MarketRecord(row) { markets.append(market) }
        }
        return markets
    }

    public func order(_ id: OrderID) throws(PostgresError) -> OrderRecord? {
        try execute(SQL.findOrder, id.uuid).first.map { row throws(PostgresError) in try OrderRecord(row) }
    }

    /// - Parameter user: nil is the role that is connected.
    public func order(clientOrderID: String, user: UserID? = nil) throws(PostgresError) -> OrderRecord? {
        try execute(SQL.findOrderByClientId, user?.rawValue, clientOrderID).first
            .map { row throws(PostgresError) in try OrderRecord(row) }
    }

    /// The latest orders, latest first.
    /// - Parameter openOnly: only what rests in the book.
    public func orders(
        market: String? = nil, user: UserID? = nil, openOnly: Bool, limit: Int
    ) throws(PostgresError) -> [OrderRecord] {
        let sql = openOnly ? SQL.listOpenOrders : SQL.listOrders
        var orders: [OrderRecord] = []
        for row in try execute(sql, market, user?.rawValue, limit) { orders.append(try OrderRecord(row)) }
        return orders
    }

    public func command(_ id: OrderID) throws(PostgresError) -> CommandRecord? {
        try execute(SQL.findCommand, id.uuid).first.map { row throws(PostgresError) in try CommandRecord(row) }
    }

    /// The best levels of each side: bids first, best first on either side.
    public func bookLevels(_ market: String, depth: Int32 = 10) throws(PostgresError) -> [LevelRecord] {
        var levels: [LevelRecord] = []
        for row in try execute(SQL.readAggBook, market, depth) { levels.append(try LevelRecord(row)) }
        return levels
    }

    /// The latest trades, latest first.
    public func latestTrades(_ market: String, limit: Int32 = 20) throws(PostgresError) -> [TradeRecord] {
        try trades(SQL.latestTrades, market, limit)
    }

    /// The trades that a command made as taker, in their order.
    public func fills(of command: CommandRecord) throws(PostgresError) -> [TradeRecord] {
        guard let seq = command.seq, let filled = command.filled, filled.unscaled > 0 else { return [] }
        // A trade has its taker's time, or a later one where the market's clock was ahead already.
        let spans: [Int64] = [0, 60_000_000, 86_400_000_000]
        for span in spans {
            let end = command.time + span
            let fills = try trades(SQL.fillsBetween, command.market, command.time.postgres, end.postgres, seq.rawValue)
            if !fills.isEmpty { return fills }
        }
        let forever = PostgresTimestamp.infinity
        return try trades(SQL.fillsBetween, command.market, command.time.postgres, forever, seq.rawValue)
    }

    private func trades(_ sql: String, _ parameters: any PostgresEncodable...) throws(PostgresError) -> [TradeRecord] {
        var trades: [TradeRecord] = []
        for row in try execute(sql, with: parameters) { trades.append(try TradeRecord(row)) }
        return trades
    }
}
