public import OrderBook
public import Postgres

/// How far a market is.
public struct MarketHead: Hashable, Sendable {
    public var market: MarketNumber
    public var seq: Seq
    public var tradeID: TradeID
    public var isHalted: Bool

    public init(market: MarketNumber, seq: Seq, tradeID: TradeID, isHalted: Bool) {
        self.market = market
        self.seq = seq
        self.tradeID = tradeID
        self.isHalted = isHalted
    }
}

/// What rests at one price.
public struct BookLevel: Hashable, Sendable {
    public var price: PriceTicks
    public var amount: AmountLots
    public var orders: Int64

    public init(price: PriceTicks, amount: AmountLots, orders: Int64) {
        self.price = price
        self.amount = amount
        self.orders = orders
    }
}

/// A market's best levels, best first, as they stood after execution `seq`.
public struct AggregatedBook: Hashable, Sendable {
    public var seq: Seq
    public var bids: [BookLevel]
    public var asks: [BookLevel]

    public init(seq: Seq, bids: [BookLevel], asks: [BookLevel]) {
        self.seq = seq
        self.bids = bids
        self.asks = asks
    }
}

/// Reads what everybody may see, over one session.
public struct MarketDataReader: Sendable {
    private let session: Session

    /// Connects at the first read.
    public init(_ configuration: ConnectionConfiguration) {
        session = Session(
            configuration.settled(for: .serving), onConnect: { connection in try connection.execute(SQL.planForReading) })
    }

    /// All markets, by symbol, and those that cannot be read.
    public func markets() async throws -> MarketList<Market> { try await session.run { try $0.marketList() } }

    public func heads() async throws -> [MarketHead] { try await session.run { try $0.marketHeads() } }

    /// Whether orders would be taken and executed, as the tables have it.
    public func readiness() async throws -> StoredReadiness { try await session.run { try $0.readiness() } }

    /// Whether hints are not sent, because somebody lets the queue of notifications fill.
    public func isDeaf() async throws -> Bool {
        try await session.run { try $0.execute(SQL.isDeaf).one().decode(at: 0) }
    }

    /// Levels of one snapshot, at most `depth` per side.
    public func book(_ market: MarketNumber, depth: Int) async throws -> AggregatedBook {
        try await session.run { try $0.aggregatedBook(market, depth: depth) }
    }

    /// The last trades, oldest first.
    public func lastTrades(_ market: MarketNumber, count: Int) async throws -> [Trade] {
        try await session.run { try $0.lastTrades(market, count: count) }
    }

    /// The trades after a known one, oldest first; nil: from the market's first trade on.
    public func trades(_ market: MarketNumber, after last: Trade?, limit: Int) async throws -> [Trade] {
        try await session.run { try $0.trades(market, after: last, limit: limit) }
    }

    /// What became of executed commands.
    public func commandStates(_ ids: [OrderID]) async throws -> [CommandState] {
        try await session.run { try $0.commandStates(ids) }
    }
}

extension Connection {
    func marketHeads() throws -> [MarketHead] {
        try execute(SQL.marketHeads).map { row in
            var columns = row.reader()
            return MarketHead(
                market: MarketNumber(rawValue: try columns.next()), seq: Seq(try columns.next()),
                tradeID: TradeID(try columns.next()), isHalted: try columns.next())
        }
    }

    func aggregatedBook(_ market: MarketNumber, depth: Int) throws -> AggregatedBook {
        var book = AggregatedBook(seq: Seq(0), bids: [], asks: [])
        for row in try execute(SQL.aggregatedBook, market.rawValue, Int64(depth)) {
            var columns = row.reader()
            book.seq = Seq(try columns.next())
            guard let sideCode = try columns.next(Int16?.self) else { continue }
            let level = BookLevel(
                price: PriceTicks(try columns.next()), amount: AmountLots(try columns.next()),
                orders: try columns.next())
            if try decodeSide(sideCode) == .bid { book.bids.append(level) } else { book.asks.append(level) }
        }
        return book
    }

    func lastTrades(_ market: MarketNumber, count: Int) throws -> [Trade] {
        guard let floor = try execute(SQL.tradesFloor, market.rawValue, Int64(count)).first else { return [] }
        let time = try floor.decode(PostgresTimestamp.self, at: 0)
        return try execute(SQL.lastTrades, market.rawValue, time, Int64(count)).map(Trade.decode).reversed()
    }

    func trades(_ market: MarketNumber, after last: Trade?, limit: Int) throws -> [Trade] {
        let time: PostgresTimestamp
        if let last {
            time = last.time.postgres
        } else {
            guard let floor = try execute(SQL.firstTradeFloor, market.rawValue).first else { return [] }
            time = try floor.decode(at: 0)
        }
        return try execute(SQL.tradesAfter, market.rawValue, time, last?.id.rawValue ?? 0, Int64(limit))
            .map(Trade.decode)
    }
}
