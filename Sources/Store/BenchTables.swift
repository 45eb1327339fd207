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
    public func copyLimit(_ batch: LimitBatch) throws {
        try transaction { connection in
            try connection.copy(batch.commands, Tables.commands, SQL.copyLimitCommands)
            try connection.copy(batch.trades, Tables.trades, SQL.copyLimitTrades)
            try connection.copy(batch.resting, Tables.book, SQL.copyLimitBook)
            try connection.copy(batch.closed, Tables.closed, SQL.copyLimitClosed)
            guard !batch.candles.isEmpty else { return }
            try connection.copyIn(SQL.copyLimitCandles) { rows in
                for candle in batch.candles { try rows.append(candle.row, candle.market) }
            }
        }
    }

    private func copy<Row>(_ rows: [Row], _ table: TableColumns<Row>, _ sql: String) throws {
        if !rows.isEmpty { try table.copy(rows, over: self, by: sql) }
    }
}

/// A batch of all markets, made ready before anything is timed.
public struct LimitBatch {
    fileprivate let commands: [Marketed<LoggedCommand>]
    fileprivate let trades: [Marketed<Trade>]
    fileprivate let resting: [Marketed<RestingOrder>]
    fileprivate let closed: [Marketed<ClosedOrder>]
    fileprivate let candles: [Marketed<Candle>]

    public init(_ markets: [LimitRows]) {
        func all<Row>(_ rows: (LimitRows) -> [Row]) -> [Marketed<Row>] {
            markets.flatMap { market in rows(market).map { Marketed(market: market.market.rawValue, row: $0) } }
        }
        commands = all { zip($0.commands, $0.journal.executions).map { LoggedCommand($0, $1) } }
        trades = all(\.journal.trades)
        resting = all(\.resting)
        closed = all(\.journal.closed)
        candles = all(\.candles)
    }
}

extension CopyRows {
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
