import OrderBook
import Postgres
import Store
import TestSupport

/// Trades put into the tables as a matcher would leave them, without one.
struct StoredTrades {
    let database: TestDatabase
    let connection: Connection

    /// One stored trade; times in microseconds since 2026-01-01 UTC.
    struct Trade {
        var id: Int64
        var micros: Int64
        var price: Int64
        var amount: Int64
        var isAsk = false
        var isBusted = false
        var orders = true
    }

    static let epoch: Int64 = 1_767_225_600_000_000

    init() throws {
        database = try TestDatabase()
        connection = try database.connection()
    }

    func add(market: String, tick: String, lot: String, _ trades: [Trade]) throws {
        try database.addMarket(market, tick: tick, lot: lot)
        try append(trades, to: market)
    }

    func append(_ trades: [Trade], to market: String) throws {
        let number = try connection.execute("SELECT market FROM pgbook_data.markets WHERE symbol = $1", market).one()
            .decode(Int16.self, at: 0)
        try connection.copyIn(
            """
            COPY pgbook_data.trades (time, trade_id, seq, taker_order, maker_order, price, amount, market, taker_side,
                                     taker_user, maker_user, busted_at) FROM STDIN (FORMAT binary)
            """
        ) { rows in
            for trade in trades {
                let time = PostgresTimestamp(microsecondsSinceUnixEpoch: Self.epoch + trade.micros)
                try rows.beginRow()
                try rows.append(time)
                try rows.append(trade.id)
                try rows.append(trade.id)
                try rows.append(trade.orders ? Self.order(trade.id) : nil)
                try rows.append(trade.orders ? Self.order(trade.id + 1_000_000) : nil)
                try rows.append(trade.price)
                try rows.append(trade.amount)
                try rows.append(number)
                try rows.append(Int16(trade.isAsk ? 1 : 0))
                try rows.append("taker")
                try rows.append("maker")
                try rows.append(trade.isBusted ? time : nil)
            }
        }
        try connection.executeSimple(
            """
            DELETE FROM pgbook_data.candles_1m WHERE market = \(number);
            INSERT INTO pgbook_data.candles_1m
            SELECT date_trunc('minute', time), first(price, trade_id), max(price), min(price), last(price, trade_id),
                   count(*), min(trade_id), max(trade_id), market, sum(amount), sum(amount::numeric * price),
                   coalesce(sum(amount) FILTER (WHERE taker_side = 0), 0),
                   coalesce(sum(amount::numeric * price) FILTER (WHERE taker_side = 0), 0)
            FROM pgbook_data.trades WHERE market = \(number) AND busted_at IS NULL GROUP BY market, 1;
            UPDATE pgbook_data.market_state s SET (trade_id, last_price, clock) =
                (SELECT max(trade_id), last(price, trade_id), max(time) FROM pgbook_data.trades t WHERE t.market = s.market)
            WHERE market = \(number);
            """)
    }

    static func order(_ number: Int64) -> PostgresUUID? {
        let digits = String(number, radix: 16)
        return PostgresUUID("0197c1d8-5a00-7000-8abc-" + String(repeating: "0", count: 12 - digits.count) + digits)
    }
}
