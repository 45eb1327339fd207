public import OrderBook

/// Where commands of many users go in: stored durably in the order of the calls, and perhaps executed at once.
public protocol CommandEntrance: Sendable {
    /// Takes commands in line, in the order of the calls.
    ///
    /// When a call fails as unreachable, those that stand in line behind it fail too: entering them all again keeps
    /// their order. Entering the same commands again is safe if they bring their ids.
    /// - Parameter answer: called once, on any thread, when all of them are durable or refused.
    func submit(_ entries: [Entry], answer: @escaping @Sendable (Result<EntranceAnswer, EntranceFailure>) -> Void)
}

/// What an entrance answers to commands that were entered together.
public struct EntranceAnswer: Hashable, Sendable {
    /// One per entry, in order.
    public var receipts: [Receipt]
    /// What executing them did, where they were executed in the same transaction.
    public var moves: [MarketMove]

    public init(_ receipts: [Receipt], moves: [MarketMove] = []) {
        self.receipts = receipts
        self.moves = moves
    }
}

/// What a transaction did to a market.
public struct MarketMove: Hashable, Sendable {
    public var market: MarketNumber
    /// The market's `seq` before and after.
    public var before: Seq
    public var after: Seq
    /// Every order that rested before or rests now and whose row changed: what became of it.
    public var orders: [CommandState]

    public init(market: MarketNumber, before: Seq, after: Seq, orders: [CommandState]) {
        self.market = market
        self.before = before
        self.after = after
        self.orders = orders
    }

    /// Of one market, from what executing left behind.
    public init(market: MarketNumber, before: Seq, after: Seq, _ journal: Journal, _ changes: BookChanges) {
        var orders: [CommandState] = []
        orders.reserveCapacity(journal.closed.count + changes.updated.count + changes.inserted.count)
        for order in changes.updated { orders.append(CommandState(resting: order, in: market)) }
        for order in changes.inserted { orders.append(CommandState(resting: order, in: market)) }
        for order in journal.closed { orders.append(CommandState(closed: order, in: market)) }
        self.init(market: market, before: before, after: after, orders: orders)
    }
}

extension CommandState {
    fileprivate init(resting order: RestingOrder, in market: MarketNumber) {
        self.init(
            id: order.id, market: market, code: .open, filled: order.filled, remaining: order.open, isResting: true,
            closed: nil)
    }

    fileprivate init(closed: ClosedOrder, in market: MarketNumber) {
        self.init(
            id: closed.order.id, market: market, code: .open, filled: closed.order.filled, remaining: .zero,
            isResting: false, closed: CloseReason(rawValue: closed.reason.rawValue))
    }
}

/// What an entrance answers to one command.
public struct Receipt: Hashable, Sendable {
    public var admission: Admission
    /// What became of it where it was executed in the same transaction; nil where it waits for a matcher.
    public var state: CommandState?

    public init(_ admission: Admission, state: CommandState? = nil) {
        self.admission = admission
        self.state = state
    }
}

/// Why commands could not be entered.
public enum EntranceFailure: Error, Sendable {
    /// The database cannot take them, and stored nothing.
    case refused(String)
    /// The database could not be reached or was lost on the way. Whether they were stored is not known.
    case unreachable(String)
}
