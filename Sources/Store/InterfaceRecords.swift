public import OrderBook
public import Postgres

/// An order and what became of it: a row of `pgbook.orders`. Amounts in base units, prices in quote units.
public struct OrderRecord: Sendable, Hashable {
    public var id: OrderID
    public var time: Timestamp
    public var user: UserID
    public var side: Side
    /// `market` or `limit`.
    public var execType: String
    public var amount: PostgresNumeric
    public var price: PostgresNumeric?
    public var market: String
    /// `pending`, `open`, `filled`, `cancelled`, `expired` or `refused`.
    public var status: String
    public var filled: PostgresNumeric
    public var remaining: PostgresNumeric
    public var averagePrice: PostgresNumeric?
    /// Why it ended otherwise than filled: a code's name.
    public var reason: String?
    public var timeInForce: String
    public var postOnly: Bool
    public var selfTradePrevention: String?
    public var expires: Timestamp?
    public var clientOrderID: String?
    public var origin: String
    public var seq: Seq?
    public var acceptedAt: Timestamp
    public var executedAt: Timestamp?

    init(_ row: Row) throws(PostgresError) {
        var columns = row.reader()
        id = OrderID(try columns.next())
        time = Timestamp(try columns.next(PostgresTimestamp.self))
        user = UserID(try columns.next(String.self))
        side = try columns.nextSide()
        execType = try columns.next()
        amount = try columns.next()
        price = try columns.next()
        market = try columns.next()
        status = try columns.next()
        filled = try columns.next()
        remaining = try columns.next()
        averagePrice = try columns.next()
        reason = try columns.next()
        timeInForce = try columns.next()
        postOnly = try columns.next()
        selfTradePrevention = try columns.next()
        expires = try columns.nextTime()
        clientOrderID = try columns.next()
        origin = try columns.next()
        seq = try columns.next(Int64?.self).map { Seq($0) }
        acceptedAt = Timestamp(try columns.next(PostgresTimestamp.self))
        executedAt = try columns.nextTime()
    }
}

/// A command and its outcome: a row of `pgbook.commands`.
public struct CommandRecord: Sendable, Hashable {
    public var id: OrderID
    public var time: Timestamp
    public var market: String
    public var user: UserID
    /// `place`, `amend`, `cancel`, `cancel_all`, `halt`, `resume` or `expire`.
    public var kind: String
    public var target: OrderID?
    public var seq: Seq?
    /// Nil until it is executed.
    public var code: OutcomeCode?
    public var amount: PostgresNumeric?
    public var price: PostgresNumeric?
    public var filled: PostgresNumeric?
    public var remaining: PostgresNumeric?
    public var dropped: PostgresNumeric?
    public var averagePrice: PostgresNumeric?
    public var clientOrderID: String?
    public var origin: String
    public var acceptedAt: Timestamp
    public var executedAt: Timestamp?

    init(_ row: Row) throws(PostgresError) {
        var columns = row.reader()
        id = OrderID(try columns.next())
        time = Timestamp(try columns.next(PostgresTimestamp.self))
        market = try columns.next()
        user = UserID(try columns.next(String.self))
        kind = try columns.next()
        target = try columns.next(PostgresUUID?.self).map { OrderID($0) }
        seq = try columns.next(Int64?.self).map { Seq($0) }
        code = try columns.next(String?.self).flatMap { OutcomeCode(name: $0) }
        amount = try columns.next()
        price = try columns.next()
        filled = try columns.next()
        remaining = try columns.next()
        dropped = try columns.next()
        averagePrice = try columns.next()
        clientOrderID = try columns.next()
        origin = try columns.next()
        acceptedAt = Timestamp(try columns.next(PostgresTimestamp.self))
        executedAt = try columns.nextTime()
    }
}

/// One match: a row of `pgbook.trades`. `user` and `side` are the taker's.
public struct TradeRecord: Sendable, Hashable {
    public var id: TradeID
    public var time: Timestamp
    public var market: String
    /// An imported trade tells nothing of its users and orders.
    public var user: UserID?
    public var side: Side
    public var amount: PostgresNumeric
    public var price: PostgresNumeric
    /// Price × amount.
    public var total: PostgresNumeric
    public var takerOrder: OrderID?
    public var makerOrder: OrderID?
    public var makerUser: UserID?
    /// Just before the match; nil where that side was empty.
    public var bestBid: PostgresNumeric?
    public var bestAsk: PostgresNumeric?
    public var seq: Seq?

    init(_ row: Row) throws(PostgresError) {
        var columns = row.reader()
        id = TradeID(try columns.next())
        time = Timestamp(try columns.next(PostgresTimestamp.self))
        market = try columns.next()
        user = try columns.next(String?.self).map { UserID($0) }
        side = try columns.nextSide()
        amount = try columns.next()
        price = try columns.next()
        total = try columns.next()
        takerOrder = try columns.next(PostgresUUID?.self).map { OrderID($0) }
        makerOrder = try columns.next(PostgresUUID?.self).map { OrderID($0) }
        makerUser = try columns.next(String?.self).map { UserID($0) }
        bestBid = try columns.next()
        bestAsk = try columns.next()
        seq = try columns.next(Int64?.self).map { Seq($0) }
    }
}

/// One price of a side, aggregated: a row of `pgbook.agg_book`.
public struct LevelRecord: Sendable, Hashable {
    public var side: Side
    public var price: PostgresNumeric
    public var amount: PostgresNumeric
    /// Price × amount.
    public var total: PostgresNumeric
    public var orders: Int64

    init(_ row: Row) throws(PostgresError) {
        var columns = row.reader()
        side = try columns.nextSide()
        price = try columns.next()
        amount = try columns.next()
        total = try columns.next()
        orders = try columns.next()
    }
}

/// A market: a row of `pgbook.markets`.
public struct MarketRecord: Sendable, Hashable {
    public var name: String
    public var tickSize: PostgresNumeric
    public var lotSize: PostgresNumeric
    public var amountMax: PostgresNumeric
    public var notionalMax: PostgresNumeric?
    public var priceMin: PostgresNumeric
    public var priceMax: PostgresNumeric
    /// `open` or `halted`.
    public var state: String
    public var seq: Seq
    /// How many trades there were.
    public var trades: Int64
    public var lastPrice: PostgresNumeric?
    /// The market's digest chain, in hexadecimal.
    public var digest: String

    init(_ row: Row) throws(PostgresError) {
        var columns = row.reader()
        name = try columns.next()
        tickSize = try columns.next()
        lotSize = try columns.next()
        amountMax = try columns.next()
        notionalMax = try columns.next()
        priceMin = try columns.next()
        priceMax = try columns.next()
        state = try columns.next()
        seq = Seq(try columns.next())
        trades = try columns.next()
        lastPrice = try columns.next()
        digest = try columns.next()
    }
}

extension RowReader {
    fileprivate mutating func nextSide() throws(PostgresError) -> Side {
        let word: String = try next()
        guard let side = Side(word: word) else { throw PostgresError(.decode, "'\(word)' is not a side") }
        return side
    }

    mutating func nextTime() throws(PostgresError) -> Timestamp? {
        try next(PostgresTimestamp?.self).map { Timestamp($0) }
    }
}
