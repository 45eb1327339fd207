public import OrderBook
public import Postgres

/// A market that is locked for an import, and where its history ends.
public struct ImportMarket: Hashable, Sendable {
    public var market: Market
    public var isImported: Bool
    /// Commands were executed or wait: it is a market of its own, with a log.
    public var hasCommands: Bool
    public var lastTrade: TradeID
    /// No trade may be earlier; nil before the first.
    public var clock: Timestamp?
}

/// A trade of another venue, and where it stands in the file.
public struct ImportedTrade: Hashable, Sendable {
    public var line: Int
    public var id: TradeID
    public var time: Timestamp
    public var price: PriceTicks
    public var amount: AmountLots
    public var takerSide: Side

    public init(
        line: Int, id: TradeID, time: Timestamp, price: PriceTicks, amount: AmountLots, takerSide: Side
    ) {
        self.line = line
        self.id = id
        self.time = time
        self.price = price
        self.amount = amount
        self.takerSide = takerSide
    }
}

/// A staged trade that may not be stored.
public struct ImportFault: Hashable, Sendable {
    public var trade: TradeID
    public var line: Int
    /// Where its id stood first.
    public var firstLine: Int?
}

/// A file that was imported.
public struct ImportRecord: Hashable, Sendable {
    public var number: Int64
    public var market: String
    /// The file's name.
    public var source: String
    public var trades: Int64
    public var firstTrade: TradeID
    public var lastTrade: TradeID
    public var firstTime: Timestamp
    public var lastTime: Timestamp
    public var importedAt: Timestamp
    public var importedBy: String
    /// It was taken back then.
    public var undoneAt: Timestamp?

    init(_ row: Row) throws(PostgresError) {
        var columns = row.reader()
        number = try columns.next()
        market = try columns.next()
        source = try columns.next()
        trades = try columns.next()
        firstTrade = TradeID(try columns.next())
        lastTrade = TradeID(try columns.next())
        firstTime = Timestamp(try columns.next(PostgresTimestamp.self))
        lastTime = Timestamp(try columns.next(PostgresTimestamp.self))
        importedAt = Timestamp(try columns.next(PostgresTimestamp.self))
        importedBy = try columns.next()
        undoneAt = try columns.next(PostgresTimestamp?.self).map { Timestamp($0) }
    }
}

extension Connection {
    /// Imports, the latest first.
    /// - Parameter market: nil: of all.
    public func imports(of market: String?, max: Int) throws -> [ImportRecord] {
        try execute(SQL.imports, market, Int64(max)).map { row in try ImportRecord(row) }
    }

    /// Takes the latest import of a market back.
    /// - Throws: a `Rejection` where there is none that could be.
    public func undoImport(of market: String) throws -> ImportRecord {
        try ImportRecord(refusing { try execute(SQL.undoImport, market).one() })
    }
}

/// The steps of an import, in order, within one transaction.
extension Connection {
    /// Nil where there is no such market.
    public func lockImportMarket(_ symbol: String) throws -> ImportMarket? {
        try execute(SQL.lockImportMarket, symbol).first.map { row in
            var columns = row.reader()
            let market = try Market.decode(&columns)
            let isImported = try columns.next(Bool.self)
            let seq = try columns.next(Int64.self)
            let lastTrade = TradeID(try columns.next())
            let clock = try columns.nextTime().flatMap { $0.postgres.isFinite ? $0 : nil }
            return ImportMarket(
                market: market, isImported: isImported, hasCommands: try columns.next(Bool.self) || seq > 0,
                lastTrade: lastTrade, clock: clock)
        }
    }

    /// Waits until nobody is in the middle of entering a command.
    public func lockInbox() throws { try execute(SQL.lockInbox) }

    public func markImported(_ market: MarketNumber) throws { try execute(SQL.markImported, market.rawValue) }

    /// Takes trades aside, where nobody sees them.
    /// - Parameter next: nil at the end.
    public func stageImport(_ next: () throws -> ImportedTrade?) throws -> Int {
        try execute(SQL.createImport)
        return try copyIn(SQL.copyImport) { rows in
            while let trade = try next() {
                try rows.beginRow()
                try rows.append(Int64(trade.line))
                try rows.append(trade.id.rawValue)
                try rows.append(trade.time.postgres)
                try rows.append(trade.price.rawValue)
                try rows.append(trade.amount.rawValue)
                try rows.append(Int16(trade.takerSide.rawValue))
            }
        }
    }

    /// Two staged trades of one id.
    public func stagedDuplicate() throws -> ImportFault? {
        try execute(SQL.findImportDuplicate).first.map { row in
            ImportFault(
                trade: TradeID(try row.decode(at: 0)), line: Int(try row.decode(Int64.self, at: 2)),
                firstLine: Int(try row.decode(Int64.self, at: 1)))
        }
    }

    /// A staged trade whose id is not above the market's last.
    public func stagedKnown(_ last: TradeID) throws -> ImportFault? {
        try fault(execute(SQL.findImportKnown, last.rawValue))
    }

    /// A staged trade that is earlier than the one before it by id, or than the market's clock.
    public func stagedDisorder(_ clock: Timestamp?) throws -> ImportFault? {
        try fault(execute(SQL.findImportDisorder, clock?.postgres ?? .negativeInfinity))
    }

    /// A staged trade whose time has not come, and the database's time.
    public func stagedFuture() throws -> (fault: ImportFault, time: Timestamp, now: Timestamp)? {
        let rows = try execute(SQL.findImportFuture)
        guard let row = rows.first, let fault = try fault(rows) else { return nil }
        return (
            fault, Timestamp(try row.decode(PostgresTimestamp.self, at: 2)),
            Timestamp(try row.decode(PostgresTimestamp.self, at: 3))
        )
    }

    private func fault(_ rows: Rows) throws -> ImportFault? {
        try rows.first.map { row in
            ImportFault(trade: TradeID(try row.decode(at: 0)), line: Int(try row.decode(Int64.self, at: 1)))
        }
    }

    /// Stores what was staged: trades, minutes, the market's clock, and the hours and days that have ended.
    /// - Parameter source: the file's name, for the record.
    public func storeImport(_ market: MarketNumber, from source: String) throws {
        try execute(SQL.recordImport, market.rawValue, source)
        try execute(SQL.insertImport, market.rawValue)
        try execute(SQL.insertImportCandles, market.rawValue)
        try execute(SQL.moveImportMarket, market.rawValue)
        try execute(SQL.closeImportCandles, market.rawValue)
    }
}
