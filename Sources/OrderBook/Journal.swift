/// What executing commands did, in the order in which it happened. Everything the database must learn of a batch.
public struct Journal: Sendable {
    public var executions: [Execution] = []
    public var trades: [Trade] = []
    public var closed: [ClosedOrder] = []
    public init() {}
}

/// One executed command.
public struct Execution: Hashable, Sendable {
    public var seq: Seq
    public var id: OrderID
    public var outcome: Outcome
    /// The market's digest after this command (32 bytes).
    public var digest: Digest
    public init(seq: Seq, id: OrderID, outcome: Outcome, digest: Digest) {
        self.seq = seq
        self.id = id
        self.outcome = outcome
        self.digest = digest
    }
}

/// One match of a taker with one maker, at the maker's price.
public struct Trade: Hashable, Sendable {
    public var id: TradeID
    /// The taker command's execution number.
    public var seq: Seq
    /// The taker's timestamp, clamped so that it never falls within a market.
    public var time: Timestamp
    public var takerOrder: OrderID
    public var makerOrder: OrderID
    public var takerUser: UserID
    public var makerUser: UserID
    public var takerSide: Side
    public var price: PriceTicks
    public var amount: AmountLots
    /// The best prices just before this match; nil where that side was empty.
    public var bestBid: PriceTicks?
    public var bestAsk: PriceTicks?

    public init(
        id: TradeID, seq: Seq, time: Timestamp, takerOrder: OrderID, makerOrder: OrderID, takerUser: UserID,
        makerUser: UserID, takerSide: Side, price: PriceTicks, amount: AmountLots, bestBid: PriceTicks?,
        bestAsk: PriceTicks?
    ) {
        self.id = id
        self.seq = seq
        self.time = time
        self.takerOrder = takerOrder
        self.makerOrder = makerOrder
        self.takerUser = takerUser
        self.makerUser = makerUser
        self.takerSide = takerSide
        self.price = price
        self.amount = amount
        self.bestBid = bestBid
        self.bestAsk = bestAsk
    }
}

/// An order in the book. `amount = filled + dropped + open` at any time.
public struct RestingOrder: Hashable, Sendable {
    public var id: OrderID
    public var user: UserID
    public var side: Side
    public var price: PriceTicks
    /// The current total: as placed, or as last amended.
    public var amount: AmountLots
    public var filled: AmountLots
    /// What self-trade prevention (`dc`) took off without a trade.
    public var dropped: AmountLots
    /// Σ price × amount of `filled`, as maker and as taker.
    public var notional: Notional
    /// The `seq` of the command that put it at its place in the queue: earlier is served first.
    public var priority: Seq
    public var expires: Timestamp?
    public var postOnly: Bool
    public var selfTradePrevention: SelfTradePrevention?

    public var open: AmountLots { amount - filled - dropped }

    public init(
        id: OrderID, user: UserID, side: Side, price: PriceTicks, amount: AmountLots, filled: AmountLots = .zero,
        dropped: AmountLots = .zero, notional: Notional = .zero, priority: Seq, expires: Timestamp? = nil,
        postOnly: Bool = false, selfTradePrevention: SelfTradePrevention? = nil
    ) {
        self.id = id
        self.user = user
        self.side = side
        self.price = price
        self.amount = amount
        self.filled = filled
        self.dropped = dropped
        self.notional = notional
        self.priority = priority
        self.expires = expires
        self.postOnly = postOnly
        self.selfTradePrevention = selfTradePrevention
    }
}

/// The final state of an order that rested and left the book.
public struct ClosedOrder: Hashable, Sendable {
    /// The order as it left: `open` is zero, what was open has moved to `dropped` unless it was filled.
    public var order: RestingOrder
    public var reason: Reason
    /// The execution that closed it.
    public var seq: Seq

    public init(order: RestingOrder, reason: Reason, seq: Seq) {
        self.order = order
        self.reason = reason
        self.seq = seq
    }

    public enum Reason: Int16, Hashable, Sendable, CaseIterable {
        case filled = 1
        case cancelled = 2
        case expired = 3
        /// Self-trade prevention took the rest.
        case prevented = 4
    }
}

/// The net difference between two moments of the book, as the rows of a table see it.
public struct BookChanges: Sendable {
    /// Rest now, did not before. In the order in which they came to rest.
    public var inserted: [RestingOrder] = []
    /// Rested before, rest now, differ.
    public var updated: [RestingOrder] = []
    /// Rested before, rest no more.
    public var deleted: [OrderID] = []
    public init() {}
}
