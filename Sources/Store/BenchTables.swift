public import OrderBook
public import Postgres

// The database's side of `pgbook bench`; sql/bench makes the tables.

extension Connection {
    /// Writes all dirty pages, so that no measurement pays for what ran before it. Takes a superuser's rights, or those
    /// of pg_checkpoint.
    public func checkpoint() throws { try executeSimple(SQL.checkpoint) }

    /// Bytes of write-ahead log since the cluster was made, and how often it was synced; nil where the server does not
    /// count that.
    public func walCounts() throws -> (bytes: Int64, syncs: Int64?) {
        if serverVersion >= 150_000 { try execute(SQL.flushStatistics) }
        var columns = try execute(SQL.walCounts).one().reader()
        return (bytes: try columns.next(), syncs: try columns.next())
    }
}

/// All that one batch of one market leaves in the tables, as rows to be inserted.
public struct LimitRows: Sendable {
    public var market: MarketNumber
    public var commands: [Command]
    /// One per command.
    public var journal: Journal
    /// Came to rest in this batch, and rest at its end.
    public var resting: [RestingOrder]
    /// Minutes that are over.
    public var candles: [Candle]

    public init(
        market: MarketNumber, commands: [Command], journal: Journal, resting: [RestingOrder], candles: [Candle]
    ) {
        self.market = market
        self.commands = commands
        self.journal = journal
        self.resting = resting
        self.candles = candles
    }
}

extension Connection {
    /// Stores a batch by binary COPY into the tables of the schema pgbook_bench, in one transaction.
    public func copyLimit(_ batch: [LimitRows]) throws {
        try transaction { connection in
            try connection.copy(SQL.copyLimitCommands, batch, \.commands.isEmpty) { rows, market in
                for (command, execution) in zip(market.commands, market.journal.executions) {
                    try rows.append(command, execution, market.market.rawValue)
                }
            }
            try connection.copy(SQL.copyLimitTrades, batch, \.journal.trades.isEmpty) { rows, market in
                for trade in market.journal.trades { try rows.append(trade, market.market.rawValue) }
            }
            try connection.copy(SQL.copyLimitBook, batch, \.resting.isEmpty) { rows, market in
                for order in market.resting { try rows.append(order, market.market.rawValue) }
            }
            try connection.copy(SQL.copyLimitClosed, batch, \.journal.closed.isEmpty) { rows, market in
                for closed in market.journal.closed { try rows.append(closed, market.market.rawValue) }
            }
            try connection.copy(SQL.copyLimitCandles, batch, \.candles.isEmpty) { rows, market in
                for candle in market.candles { try rows.append(candle, market.market.rawValue) }
            }
        }
    }

    private func copy(
        _ sql: String, _ batch: [LimitRows], _ isEmpty: (LimitRows) -> Bool,
        _ write: (inout CopyRows, LimitRows) throws -> Void
    ) throws {
        guard !batch.allSatisfy(isEmpty) else { return }
        try copyIn(sql) { rows in
            for market in batch { try write(&rows, market) }
        }
    }
}

extension CopyRows {
    fileprivate mutating func append(_ command: Command, _ execution: Execution, _ market: Int16) throws {
        let columns = try LogColumns(command.action)
        try beginRow()
        try append(command.id.uuid)
        try append(command.time.postgres)
        try append(columns.target?.uuid)
        try append(columns.amount?.rawValue)
        try append(columns.price?.rawValue)
        try append(market)
        try append(columns.kind)
        try append(columns.side.map { Int16($0.rawValue) })
        try append(columns.execType)
        try append(columns.timeInForce)
        try append(columns.change)
        try append(columns.postOnly)
        try append(command.user.rawValue)
        try append(command.origin)
        try append(execution.seq.rawValue)
        try append(execution.outcome.code.rawValue)
        try append(execution.outcome.filled.rawValue)
        try append(execution.outcome.remaining.rawValue)
        try append(execution.outcome.dropped.rawValue)
        try append(execution.outcome.notional.numeric)
        try append(Int64(bitPattern: execution.digest.words.0))
    }

    fileprivate mutating func append(_ trade: Trade, _ market: Int16) throws {
        try beginRow()
        try append(trade.time.postgres)
        try append(trade.id.rawValue)
        try append(trade.seq.rawValue)
        try append(trade.takerOrder.uuid)
        try append(trade.makerOrder.uuid)
        try append(trade.price.rawValue)
        try append(trade.amount.rawValue)
        try append(trade.bestBid?.rawValue)
        try append(trade.bestAsk?.rawValue)
        try append(market)
        try append(Int16(trade.takerSide.rawValue))
        try append(trade.takerUser.rawValue)
        try append(trade.makerUser.rawValue)
    }

    fileprivate mutating func append(_ order: RestingOrder, _ market: Int16) throws {
        try beginRow()
        try append(order.id.uuid)
        try append(order.price.rawValue)
        try append(order.priority.rawValue)
        try append(order.amount.rawValue)
        try append(order.filled.rawValue)
        try append(order.dropped.rawValue)
        try append(market)
        try append(Int16(order.side.rawValue))
        try append(order.postOnly)
        try append(order.user.rawValue)
        try append(order.notional.numeric)
    }

    fileprivate mutating func append(_ closed: ClosedOrder, _ market: Int16) throws {
        try beginRow()
        try append(closed.order.id.uuid)
        try append(closed.seq.rawValue)
        try append(closed.order.price.rawValue)
        try append(closed.order.amount.rawValue)
        try append(closed.order.filled.rawValue)
        try append(closed.order.dropped.rawValue)
        try append(market)
        try append(closed.reason.rawValue)
        try append(closed.order.notional.numeric)
    }

    fileprivate mutating func append(_ candle: Candle, _ market: Int16) throws {
        try beginRow()
        try append(candle.time.postgres)
        try append(candle.open.rawValue)
        try append(candle.high.rawValue)
        try append(candle.low.rawValue)
        try append(candle.close.rawValue)
        try append(candle.trades)
        try append(candle.firstTrade.rawValue)
        try append(candle.lastTrade.rawValue)
        try append(market)
        try append(PostgresNumeric(unscaled: candle.volume, scale: 0))
        try append(candle.notional.numeric)
        try append(PostgresNumeric(unscaled: candle.takerBuyVolume, scale: 0))
        try append(candle.takerBuyNotional.numeric)
    }
}

/// What a command of a benchmark's flow writes into the log.
private struct LogColumns {
    var kind: Int16
    var target: OrderID?
    var amount: AmountLots?
    var price: PriceTicks?
    var side: Side?
    var execType: Int16?
    var timeInForce: Int16?
    var change: Int16?
    var postOnly: Bool?

    init(_ action: Command.Action) throws(StoreFault) {
        switch action {
        case .place(let place):
            kind = 1
            (amount, price, side) = (place.amount, place.price, place.side)
            execType = place.price == nil ? 0 : 1
            timeInForce = place.timeInForce.code
            postOnly = place.postOnly
        case .amend(let amend):
            kind = 2
            (target, amount, price) = (amend.target, amend.change.amount, amend.change.price)
            change = amend.change.code
        case .cancel(let order):
            kind = 3
            target = order
        case .cancelAll, .halt, .resume, .expire:
            throw StoreFault("a benchmark's flow has no such command: \(action)")
        }
    }
}

/// One command for the naive matcher of sql/bench/naive.sql, whose orders have small numbers.
public struct NaiveCommand: Sendable {
    /// 1 place, 2 amend (what shall be open, at a price), 3 cancel, 4 reduce.
    public var kind: Int16
    /// The order that is placed, or that the command is about.
    public var order: Int64
    public var market: Int16
    public var user: UserID
    public var side: Side?
    public var price: PriceTicks?
    public var amount: AmountLots?
    /// What does not trade at once is dropped.
    public var isImmediate: Bool

    public init(
        kind: Int16, order: Int64, market: Int16, user: UserID, side: Side? = nil, price: PriceTicks? = nil,
        amount: AmountLots? = nil, isImmediate: Bool = false
    ) {
        self.kind = kind
        self.order = order
        self.market = market
        self.user = user
        self.side = side
        self.price = price
        self.amount = amount
        self.isImmediate = isImmediate
    }
}

extension Connection {
    /// Puts commands into naive.flow, numbered from 1.
    /// - Parameter next: nil at the end.
    public func copyNaiveFlow(_ next: () throws -> NaiveCommand?) throws -> Int {
        try copyIn(SQL.copyNaiveFlow) { rows in
            while let command = try next() {
                try rows.beginRow()
                try rows.append(Int64(rows.count))
                try rows.append(command.kind)
                try rows.append(command.order)
                try rows.append(command.market)
                try rows.append(command.user.rawValue)
                try rows.append(command.side.map { Int16($0.rawValue) })
                try rows.append(command.price?.rawValue)
                try rows.append(command.amount?.rawValue)
                try rows.append(command.isImmediate)
            }
        }
    }
}
