public import OrderBook
import Postgres

/// Everything that one transaction writes, for any number of markets.
public struct BatchWrites {
    private var logged: [Marketed<LoggedCommand>] = []
    private var outcomes: [Marketed<Execution>] = []
    private var trades: [Marketed<Trade>] = []
    private var candles: [Marketed<Candle>] = []
    private var closed: [Marketed<ClosedOrder>] = []
    private var inserted: [Marketed<RestingOrder>] = []
    private var updated: [RestingOrder] = []
    private var deleted: [OrderID] = []
    /// What is announced when the transaction commits.
    public var notices = MarketNotices()

    public init() {}

    /// Trades of a market, in their order, that come from no command.
    /// - Parameter keepsCandles: whether they show in its minutes.
    init(_ trades: [Trade], of market: Market, keepsCandles: Bool) throws(Overflow) {
        let number = market.number.rawValue
        self.trades = trades.map { Marketed(market: number, row: $0) }
        if keepsCandles { candles = try Candle.candles(of: trades).map { Marketed(market: number, row: $0) } }
    }

    /// What executing commands of a market did.
    /// - Parameter logs: the commands, in the order of their executions, where this transaction is the one that logs
    ///   them; nil where they stood in the log before.
    public mutating func add(
        _ journal: Journal, _ changes: BookChanges, logs: [Command]?, of market: Market
    ) throws(Overflow) {
        let number = market.number.rawValue
        if let logs {
            logged.reserveCapacity(logged.count + logs.count)
            for (command, execution) in zip(logs, journal.executions) {
                logged.append(Marketed(market: number, row: LoggedCommand(command, execution)))
            }
        } else {
            outcomes += journal.executions.map { Marketed(market: number, row: $0) }
        }
        trades += journal.trades.map { Marketed(market: number, row: $0) }
        candles += try Candle.candles(of: journal.trades).map { Marketed(market: number, row: $0) }
        closed += journal.closed.map { Marketed(market: number, row: $0) }
        inserted += changes.inserted.map { Marketed(market: number, row: $0) }
        updated += changes.updated
        deleted += changes.deleted
    }

    /// Whether some table gets so many rows that a COPY is worth its round trip.
    var needsCopy: Bool {
        max(logged.count, outcomes.count, trades.count, closed.count, inserted.count)
            >= copyRowsMin
    }

    /// The rows of the tables that get many. The transaction must be open.
    func copyMany(over connection: Connection) throws {
        try copy(logged, Tables.commands, connection)
        try copy(outcomes, Tables.outcomes, connection)
        try copy(trades, Tables.trades, connection)
        try copy(closed, Tables.closed, connection)
        try copy(inserted, Tables.book, connection)
    }

    private func copy<Row>(_ rows: [Row], _ table: TableColumns<Row>, _ connection: Connection) throws {
        guard rows.count >= copyRowsMin else { return }
        try table.copy(rows, over: connection)
    }

    /// Looks up the types that `sendRest` needs; a pipeline cannot.
    func prepare(_ connection: Connection) throws {
        for type in Tables.rowTypes { try connection.recordType(type) }
    }

    /// Everything else, in one round trip.
    func sendRest(into pipeline: inout Pipeline, places: RowPlaces? = nil) throws {
        places?.begin()
        for id in deleted { places?.moved(id) }
        try insert(logged, Tables.commands, &pipeline)
        try insert(outcomes, Tables.outcomes, &pipeline)
        try insert(trades, Tables.trades, &pipeline)
        if !candles.isEmpty { try merge(candles, &pipeline, places) }
        try insert(closed, Tables.closed, &pipeline)
        try insert(inserted, Tables.book, &pipeline)
        if !deleted.isEmpty { try pipeline.send(SQL.deleteResting, deleted.map(\.uuid), Int64(deleted.count)) }
        if !updated.isEmpty { try update(updated, &pipeline, places) }
        if !notices.isEmpty { try pipeline.send(SQL.notifyMarkets, notices.payloads, notices.traded) }
    }

    private func insert<Row>(_ rows: [Row], _ table: TableColumns<Row>, _ pipeline: inout Pipeline) throws {
        guard !rows.isEmpty, rows.count < copyRowsMin else { return }
        try table.insert(rows, into: &pipeline)
    }

    private func merge(_ candles: [Marketed<Candle>], _ pipeline: inout Pipeline, _ places: RowPlaces?) throws {
        guard candles.count >= spreadRowsMin else {
            for candle in candles { try merge(candle.row, candle.market, &pipeline, places) }
            return
        }
        for candle in candles { places?.moved(candleOf: candle.market) }
        let rows = candles.map(\.row)
        try pipeline.send(
            SQL.mergeCandles, candles.map(\.market), rows.map(\.time.postgres), rows.map(\.open.rawValue),
            rows.map(\.high.rawValue), rows.map(\.low.rawValue), rows.map(\.close.rawValue),
            rows.map { PostgresNumeric(unscaled: $0.volume, scale: 0) }, rows.map(\.notional.numeric),
            rows.map(\.trades), rows.map(\.firstTrade.rawValue), rows.map(\.lastTrade.rawValue),
            rows.map { PostgresNumeric(unscaled: $0.takerBuyVolume, scale: 0) }, rows.map(\.takerBuyNotional.numeric))
    }

    private func merge(
        _ candle: Candle, _ market: Int16, _ pipeline: inout Pipeline, _ places: RowPlaces?
    ) throws {
        var values: [any PostgresEncodable] = [
            market, candle.time.postgres, candle.open.rawValue, candle.high.rawValue, candle.low.rawValue,
            candle.close.rawValue, PostgresNumeric(unscaled: candle.volume, scale: 0), candle.notional.numeric,
            candle.trades, candle.firstTrade.rawValue, candle.lastTrade.rawValue,
            PostgresNumeric(unscaled: candle.takerBuyVolume, scale: 0), candle.takerBuyNotional.numeric,
        ]
        let place = places?.candle(market, candle.time)
        if let place { values.append(place) }
        let result = try pipeline.send(place == nil ? SQL.mergeCandle : SQL.updateCandle, with: values)
        // A batch over the end of a minute has two; the last one is the one that runs.
        places?.ask(.candle(market: market, time: candle.time), in: result)
    }

    private func update(_ orders: [RestingOrder], _ pipeline: inout Pipeline, _ places: RowPlaces?) throws {
        if orders.count <= placedRowsMax {
            for order in orders {
                var values: [any PostgresEncodable] = [
                    order.id.uuid, order.price.rawValue, order.priority.rawValue, order.amount.rawValue,
                    order.filled.rawValue, order.dropped.rawValue, order.notional.numeric,
                ]
                let place = places?.order(order.id)
                if let place { values.append(place) }
                let result = try pipeline.send(place == nil ? SQL.updateRestingOne : SQL.updateRestingAt, with: values)
                places?.ask(.order(order.id), in: result)
            }
            return
        }
        for order in orders { places?.moved(order.id) }
        try pipeline.send(
            SQL.updateResting, orders.map(\.id.uuid), orders.map(\.price.rawValue), orders.map(\.priority.rawValue),
            orders.map(\.amount.rawValue), orders.map(\.filled.rawValue), orders.map(\.dropped.rawValue),
            orders.map(\.notional.numeric))
    }
}
