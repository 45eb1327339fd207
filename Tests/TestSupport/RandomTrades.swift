public import Postgres
import Store
public import TestRandom

/// One trade as a row holds it: ticks, lots, microseconds since the Unix epoch.
public struct RandomTrade: Sendable, Hashable {
    public var id: Int64
    public var time: Int64
    public var seq: Int64
    public var price: Int64
    public var amount: Int64
    public var bestBid: Int64?
    public var bestAsk: Int64?
    public var isBuy: Bool
    public var taker: String
    public var maker: String
    public var isBusted: Bool

    /// 1 where the taker bought, −1 where it sold.
    public var sign: Int128 { isBuy ? 1 : -1 }
    public var takerOrder: PostgresUUID { PostgresUUID(high: 1, low: UInt64(seq)) }
    public var makerOrder: PostgresUUID { PostgresUUID(high: 2, low: UInt64(id)) }
}

/// A random history of trades, the same for the same seed: ties at one microsecond, takers with several matches, quiet
/// days, trades at edges of minutes and days, busts, and sides of the book that were empty.
public struct RandomTrades: Sendable {
    public private(set) var all: [RandomTrade] = []
    private var generator: SeededGenerator

    /// Those that count, in their order.
    public var counted: [RandomTrade] { all.filter { !$0.isBusted } }

    public init(seed: UInt64, count: Int, from start: Int64 = 1_740_787_213_000_000) {
        generator = SeededGenerator(seed: seed)
        var time = start
        var middle: Int64 = 400
        var seq: Int64 = 0
        while all.count < count {
            time = nextTime(after: time)
            seq += 1 + Int64(generator.below(3))
            let isBuy = generator.below(2) == 0
            let taker = generator.pick(["ann", "bob", "eve", "zoe"])
            middle = max(50, middle + Int64(generator.below(7)) - 3)
            let spread = Int64(1 + generator.below(6))
            var price = middle
            for _ in 0..<1 + generator.below(3) where all.count < count {
                let (bid, ask) = isBuy ? (price - spread, price) : (price, price + spread)
                all.append(
                    RandomTrade(
                        id: Int64(all.count + 1), time: time, seq: seq, price: price,
                        amount: Int64(1) << generator.below(18) + Int64(generator.below(1000)),
                        bestBid: generator.below(12) == 0 ? nil : bid, bestAsk: generator.below(12) == 0 ? nil : ask,
                        isBuy: isBuy, taker: taker, maker: generator.pick(["ann", "bob", "eve", "mia"]),
                        isBusted: generator.below(15) == 0))
                price += (isBuy ? 1 : -1) * Int64(generator.below(3))
            }
        }
    }

    private mutating func nextTime(after time: Int64) -> Int64 {
        let minute: Int64 = 60_000_000
        switch generator.below(20) {
        case 0...3: return time
        case 4...6: return time + 1
        case 7...8: return time + 1_000_000
        case 9...12: return time + Int64(generator.below(4_000_000))
        case 13...15: return time + Int64(generator.below(600_000_000))
        case 16: return (time / minute + 1) * minute
        case 17: return (time / minute + 1) * minute - 1
        case 18: return (time / (1440 * minute) + 1) * 1440 * minute
        default: return time + Int64(generator.below(30_000)) * 1_000_000
        }
    }

    /// Writes the trades and their one-minute candles, as matching and busting leave them.
    public func insert(into connection: Connection, market: String) throws {
        let number: Int16 = try connection.execute(
            "SELECT market FROM pgbook_data.markets WHERE symbol = $1", market
        ).one().decode(at: 0)
        try connection.copyIn(
            """
            COPY pgbook_data.trades (time, trade_id, seq, taker_order, maker_order, price, amount, best_bid, best_ask,
                                     market, taker_side, taker_user, maker_user, busted_at)
            FROM STDIN (FORMAT binary)
            """
        ) { rows in
            for trade in all {
                try rows.write(
                    PostgresTimestamp(microsecondsSinceUnixEpoch: trade.time), trade.id, trade.seq, trade.takerOrder,
                    trade.makerOrder, trade.price, trade.amount, trade.bestBid, trade.bestAsk, number,
                    Int16(trade.isBuy ? 0 : 1), trade.taker, trade.maker,
                    trade.isBusted ? PostgresTimestamp(microsecondsSinceUnixEpoch: trade.time + 1) : nil)
            }
        }
        try connection.execute(
            """
            INSERT INTO pgbook_data.candles_1m (time, open, high, low, close, trades, first_trade_id, last_trade_id, market,
                                                volume, notional, taker_buy_volume, taker_buy_notional)
            SELECT date_trunc('minute', time), public.first(price, trade_id), max(price), min(price),
                   public.last(price, trade_id), count(*), min(trade_id), max(trade_id), market, sum(amount),
                   sum(price * amount::numeric), coalesce(sum(amount) FILTER (WHERE taker_side = 0), 0),
                   coalesce(sum(price * amount::numeric) FILTER (WHERE taker_side = 0), 0)
            FROM pgbook_data.trades WHERE market = $1 AND busted_at IS NULL GROUP BY market, 1
            """, number)
        guard let last = all.last else { return }
        try connection.execute(
            "UPDATE pgbook_data.market_state SET trade_id = $2, clock = $3 WHERE market = $1", number, last.id,
            PostgresTimestamp(microsecondsSinceUnixEpoch: last.time))
    }
}

extension SeededGenerator {
    public mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    public mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }
}
