import OrderBook
import Postgres
import Store
import TestSupport

/// A market with trades that nobody matched, put into the tables as matching puts them, and the candles that they give
/// by brute force.
final class TradeHistory {
    let database: TestDatabase
    let connection: Connection
    let market: Market
    private(set) var trades: [Trade] = []
    private var saved = 0

    init(symbol: String = "M", tick: String = "1", lot: String = "1") throws {
        database = try TestDatabase()
        try database.addMarket(symbol, tick: tick, lot: lot)
        connection = try database.connection(as: .node)
        market = try connection.markets()[0]
    }

    /// Microseconds since the epoch of a time such as `2026-01-01 00:00:00`, UTC.
    static func micros(_ text: String) throws -> Int64 {
        guard let time = try utc(text) else { throw TestFault("no time: \(text)") }
        return time
    }

    /// A trade after all others. Takers buy on the bid side.
    func add(_ time: Int64, price: Int64, amount: Int64, _ side: Side = .bid) {
        let id = Int64(trades.count + 1)
        trades.append(
            Trade(
                id: TradeID(id), seq: Seq(id), time: Timestamp(time), takerOrder: OrderID(high: 1, low: UInt64(id)),
                makerOrder: OrderID(high: 2, low: UInt64(id)), takerUser: UserID("ann"), makerUser: UserID("bob"),
                takerSide: side, price: PriceTicks(price), amount: AmountLots(amount), bestBid: nil, bestAsk: nil))
    }

    func add(_ time: String, price: Int64, amount: Int64, _ side: Side = .bid) throws {
        add(try Self.micros(time), price: price, amount: amount, side)
    }

    /// Writes what was added since the last time: trades, minutes and the market's clock, in one transaction.
    func save() throws {
        let new = Array(trades[saved...])
        saved = trades.count
        guard let last = new.last else { return }
        let market = market.number.rawValue
        try connection.transaction { connection in
            try connection.execute(
                """
                INSERT INTO pgbook_data.trades (market, time, trade_id, price, amount, taker_side, seq, taker_order,
                                                maker_order, taker_user, maker_user)
                SELECT $1, t.time, t.id, t.price, t.amount, t.side, t.id, gen_random_uuid(), gen_random_uuid(), 'ann', 'bob'
                FROM unnest($2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[], $6::smallint[])
                     AS t(time, id, price, amount, side)
                """, market, new.map(\.time.postgresTimestamp), new.map(\.id.rawValue), new.map(\.price.rawValue),
                new.map(\.amount.rawValue), new.map { Int16($0.takerSide.rawValue) })
            for candle in try Candle.candles(of: new) {
                try connection.execute(
                    """
                    INSERT INTO pgbook_data.candles_1m AS c (market, time, open, high, low, close, volume, notional,
                        trades, first_trade_id, last_trade_id, taker_buy_volume, taker_buy_notional)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                    ON CONFLICT (market, time) DO UPDATE SET high = greatest(c.high, excluded.high),
                        low = least(c.low, excluded.low), close = excluded.close, volume = c.volume + excluded.volume,
                        notional = c.notional + excluded.notional, trades = c.trades + excluded.trades,
                        last_trade_id = excluded.last_trade_id,
                        taker_buy_volume = c.taker_buy_volume + excluded.taker_buy_volume,
                        taker_buy_notional = c.taker_buy_notional + excluded.taker_buy_notional
                    """, market, candle.time.postgresTimestamp, candle.open.rawValue, candle.high.rawValue,
                    candle.low.rawValue, candle.close.rawValue, whole(candle.volume), whole(candle.notional.rawValue),
                    candle.trades, candle.firstTrade.rawValue, candle.lastTrade.rawValue,
                    whole(candle.takerBuyVolume), whole(candle.takerBuyNotional.rawValue))
            }
            try connection.execute(
                "UPDATE pgbook_data.market_state SET clock = $2, trade_id = $3, last_price = $4 WHERE market = $1",
                market, last.time.postgresTimestamp, last.id.rawValue, last.price.rawValue)
        }
    }

    /// Closes hours and days; returns how many hours.
    @discardableResult
    func close(hoursMax: Int32? = nil) throws -> Int64 {
        try connection.execute("SELECT pgbook_data.close_candles($1, $2)", market.number.rawValue, hoursMax).one()
            .decode(at: 0)
    }

    /// What the database says. The extremes of a range are the infinities.
    func candles(
        _ bucket: String, from: Int64 = .min, to: Int64 = .max, tz: String = "UTC"
    ) throws -> [Candle] {
        try connection.execute(
            """
            SELECT time, open, high, low, close, volume, notional, trades, first_trade_id, last_trade_id,
                   taker_buy_volume, taker_buy_notional
            FROM pgbook_data.candle_rows($1, $2, $3, $4, $5)
            """, market.number.rawValue, bucket, Timestamp(from).postgresTimestamp,
            Timestamp(to).postgresTimestamp, tz
        ).map(Candle.read)
    }

    /// What the trades say.
    /// - Parameter start: the beginning of the bucket that a time lies in.
    func expected(
        from: Int64 = .min, to: Int64 = .max, without busted: Set<Int64> = [], _ start: (Int64) -> Int64
    ) -> [Candle] {
        var candles: [Candle] = []
        for trade in trades where !busted.contains(trade.id.rawValue) {
            let time = start(trade.time.rawValue)
            guard time >= from, time < to else { continue }
            var candle = Candle(trade)
            candle.time = Timestamp(time)
            if candles.last?.time == candle.time {
                guard (try? candles[candles.count - 1].append(candle)) != nil else { fatalError("a candle overflows") }
            } else {
                candles.append(candle)
            }
        }
        return candles
    }

    private static func utc(_ text: String) throws -> Int64? {
        let numbers = text.split { "-: .".contains($0) }.compactMap { Int64($0) }
        guard numbers.count >= 3 else { return nil }
        func part(_ index: Int) -> Int64 { index < numbers.count ? numbers[index] : 0 }
        // Days since the epoch of a Gregorian date, by the method of Howard Hinnant's days_from_civil.
        let year = part(0) - (part(1) <= 2 ? 1 : 0)
        let (era, ofEra) = (year / 400, year % 400)
        let dayOfYear = (153 * (part(1) + (part(1) > 2 ? -3 : 9)) + 2) / 5 + part(2) - 1
        let days = era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + dayOfYear - 719_468
        return ((days * 24 + part(3)) * 60 + part(4)) * 60_000_000 + part(5) * 1_000_000 + part(6)
    }
}

private func whole(_ number: Int128) -> PostgresNumeric { PostgresNumeric(unscaled: number, scale: 0) }

extension Timestamp {
    var postgresTimestamp: PostgresTimestamp { PostgresTimestamp(microsecondsSinceUnixEpoch: rawValue) }
}

extension Candle {
    static func read(_ row: Row) throws -> Candle {
        func sum(_ index: Int) throws -> Int128 { try row.decode(PostgresNumeric.self, at: index).unscaled }
        return Candle(
            time: Timestamp(try row.decode(PostgresTimestamp.self, at: 0).microsecondsSinceUnixEpoch),
            open: PriceTicks(try row.decode(at: 1)), high: PriceTicks(try row.decode(at: 2)),
            low: PriceTicks(try row.decode(at: 3)), close: PriceTicks(try row.decode(at: 4)), volume: try sum(5),
            notional: Notional(rawValue: try sum(6)), trades: try row.decode(at: 7),
            firstTrade: TradeID(try row.decode(at: 8)), lastTrade: TradeID(try row.decode(at: 9)),
            takerBuyVolume: try sum(10), takerBuyNotional: Notional(rawValue: try sum(11)))
    }
}
