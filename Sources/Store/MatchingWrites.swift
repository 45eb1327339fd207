import OrderBook
import Postgres

// What a batch did, as columns: one statement per table, whatever the number of rows.

extension Pipeline {
    mutating func write(_ journal: Journal, market: Int16) throws {
        let executions = journal.executions
        try send(
            SQL.writeOutcomes, market, executions.map(\.id.uuid), executions.map(\.seq.rawValue),
            executions.map(\.outcome.code.rawValue), executions.map(\.outcome.filled.rawValue),
            executions.map(\.outcome.remaining.rawValue), executions.map(\.outcome.dropped.rawValue),
            executions.map(\.outcome.notional.numeric), executions.map { Int64(bitPattern: $0.digest.words.0) })
        if !journal.trades.isEmpty {
            try write(journal.trades, market: market)
            try write(Candle.candles(of: journal.trades), market: market)
        }
        if !journal.closed.isEmpty { try write(journal.closed, market: market) }
    }

    private mutating func write(_ trades: [Trade], market: Int16) throws {
        try send(
            SQL.writeTrades, market, trades.map(\.time.postgres), trades.map(\.id.rawValue), trades.map(\.seq.rawValue),
            trades.map(\.takerOrder.uuid), trades.map(\.makerOrder.uuid), trades.map(\.takerUser.rawValue),
            trades.map(\.makerUser.rawValue), trades.map { Int16($0.takerSide.rawValue) },
            trades.map(\.price.rawValue), trades.map(\.amount.rawValue), trades.map { $0.bestBid?.rawValue },
            trades.map { $0.bestAsk?.rawValue })
    }

    private mutating func write(_ candles: [Candle], market: Int16) throws {
        try send(
            SQL.writeCandles, market, candles.map(\.time.postgres), candles.map(\.open.rawValue),
            candles.map(\.high.rawValue), candles.map(\.low.rawValue), candles.map(\.close.rawValue),
            candles.map { PostgresNumeric(unscaled: $0.volume, scale: 0) }, candles.map(\.notional.numeric),
            candles.map(\.trades), candles.map(\.firstTrade.rawValue), candles.map(\.lastTrade.rawValue),
            candles.map { PostgresNumeric(unscaled: $0.takerBuyVolume, scale: 0) },
            candles.map(\.takerBuyNotional.numeric))
    }

    private mutating func write(_ closed: [ClosedOrder], market: Int16) throws {
        try send(
            SQL.writeClosed, market, closed.map(\.order.id.uuid), closed.map(\.seq.rawValue),
            closed.map(\.order.price.rawValue), closed.map(\.order.amount.rawValue),
            closed.map(\.order.filled.rawValue), closed.map(\.order.dropped.rawValue), closed.map(\.reason.rawValue),
            closed.map(\.order.notional.numeric))
    }

    mutating func write(_ changes: BookChanges, market: Int16) throws {
        if !changes.deleted.isEmpty {
            try send(SQL.deleteResting, market, changes.deleted.map(\.uuid))
        }
        if !changes.updated.isEmpty { try update(changes.updated, market: market) }
        if !changes.inserted.isEmpty { try insert(changes.inserted, market: market) }
    }

    private mutating func update(_ orders: [RestingOrder], market: Int16) throws {
        try send(
            SQL.updateResting, market, orders.map(\.id.uuid), orders.map(\.price.rawValue),
            orders.map(\.priority.rawValue), orders.map(\.amount.rawValue), orders.map(\.filled.rawValue),
            orders.map(\.dropped.rawValue), orders.map(\.notional.numeric))
    }

    private mutating func insert(_ orders: [RestingOrder], market: Int16) throws {
        try send(
            SQL.insertResting, market, orders.map(\.id.uuid), orders.map(\.user.rawValue),
            orders.map { Int16($0.side.rawValue) }, orders.map(\.price.rawValue), orders.map(\.amount.rawValue),
            orders.map(\.filled.rawValue), orders.map(\.dropped.rawValue), orders.map(\.notional.numeric),
            orders.map(\.priority.rawValue), orders.map { $0.expires?.postgres }, orders.map(\.postOnly),
            orders.map { $0.selfTradePrevention.map { Int16($0.rawValue) } })
    }
}
