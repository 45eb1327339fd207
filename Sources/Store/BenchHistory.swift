public import OrderBook
public import Postgres

// The database's side of `pgbook bench trades`.

extension Connection {
    /// Stores trades of a market that come from no command, with their candles as the matching transaction keeps them,
    /// in one durable transaction.
    /// - Parameters:
    ///   - trades: later than all that the market has.
    ///   - keepsCandles: false leaves the candles out, to measure what they cost.
    public func storeTrades(_ trades: [Trade], of market: Market, keepsCandles: Bool) throws {
        let writes = try BatchWrites(trades, of: market, keepsCandles: keepsCandles)
        try transaction { connection in
            try writes.prepare(connection)
            try writes.copyMany(over: connection)
            _ = try connection.pipeline { pipeline in try writes.sendRest(into: &pipeline) }
        }
    }

    /// A market that holds a history only, up to its last trade.
    public func endHistory(of market: Market, last: Trade) throws {
        try execute(
            SQL.benchEndHistory, market.number.rawValue, last.id.rawValue, last.price.rawValue, last.time.postgres)
    }

    /// Closes the hours and days of a market that are over.
    public func closeCandles(of market: Market) throws { try execute(SQL.benchCloseCandles, market.number.rawValue) }
}
