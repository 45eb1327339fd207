public import OrderBook
public import Postgres

extension Connection {
    /// The aggregated book of a market in ticks and lots, best levels first.
    public func levels(_ market: Market, depth: Int) throws -> [Side: [Level]] {
        var levels: [Side: [Level]] = [:]
        for side in Side.allCases {
            let rows = try execute(SQL.levels, market.number.rawValue, Int16(side.rawValue), Int64(depth))
            levels[side] = try rows.map { row in
                Level(
                    price: PriceTicks(try row.decode(at: 0)),
                    amount: try row.decode(PostgresNumeric.self, at: 1).unscaled,
                    orders: Int(try row.decode(Int64.self, at: 2)))
            }
        }
        return levels
    }
}
