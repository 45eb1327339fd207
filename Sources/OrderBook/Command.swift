/// One command of a market, as it stands in the log and travels between nodes.
public struct Command: Hashable, Sendable {
    public var id: OrderID
    /// The stamp given by the node the command entered at.
    public var time: Timestamp
    /// The market's symbol.
    public var market: String
    public var user: UserID
    /// The name of the node the command entered at.
    public var origin: String
    /// The caller's own id, unique per user.
    public var clientOrderID: String?
    public var action: Action

    public init(
        id: OrderID, time: Timestamp, market: String, user: UserID, origin: String = "", clientOrderID: String? = nil,
        action: Action
    ) {
        self.id = id
        self.time = time
        self.market = market
        self.user = user
        self.origin = origin
        self.clientOrderID = clientOrderID
        self.action = action
    }

    public enum Action: Hashable, Sendable {
        case place(Place)
        case amend(Amend)
        case cancel(OrderID)
        case cancelAll(CancelAll)
        /// Stops the market: places and amends are refused until `resume`; cancels go on.
        case halt
        case resume
        /// Does nothing but let the clock advance, so that overdue gtd orders expire in a quiet market.
        case expire
    }
}

public enum Side: UInt8, Hashable, Sendable, CaseIterable {
    case bid = 0
    case ask = 1
    public var opposite: Side { self == .bid ? .ask : .bid }
}

public struct Place: Hashable, Sendable {
    public var side: Side
    /// The limit price; nil for a market order.
    public var price: PriceTicks?
    public var amount: AmountLots
    public var timeInForce: TimeInForce
    /// Refused rather than matched on arrival.
    public var postOnly: Bool
    /// What to do when the taker would trade with its own user's resting order; nil lets them trade.
    public var selfTradePrevention: SelfTradePrevention?

    public init(
        side: Side, price: PriceTicks?, amount: AmountLots, timeInForce: TimeInForce = .gtc, postOnly: Bool = false,
        selfTradePrevention: SelfTradePrevention? = nil
    ) {
        self.side = side
        self.price = price
        self.amount = amount
        self.timeInForce = timeInForce
        self.postOnly = postOnly
        self.selfTradePrevention = selfTradePrevention
    }
}

public enum TimeInForce: Hashable, Sendable {
    /// Rests until filled or cancelled.
    case gtc
    /// Trades what it can at once; the rest is dropped.
    case ioc
    /// Trades whole at once, or is refused.
    case fok
    /// Rests until the given time, and never trades at or after it.
    case gtd(expires: Timestamp)
}

public enum SelfTradePrevention: UInt8, Hashable, Sendable, CaseIterable {
    /// `dc`: both are reduced by the smaller open amount, without a trade.
    case decrementAndCancel = 1
    /// `co`: the resting order is cancelled and matching goes on.
    case cancelOldest = 2
    /// `cn`: what is open of the taker is cancelled.
    case cancelNewest = 3
    /// `cb`: both are cancelled.
    case cancelBoth = 4
}

public struct Amend: Hashable, Sendable {
    public var target: OrderID
    public var change: Change

    public init(target: OrderID, change: Change) {
        self.target = target
        self.change = change
    }

    public enum Change: Hashable, Sendable {
        /// A new total amount, a new price, or both. A smaller amount at the same price keeps its place in the queue;
        /// anything else goes to the back, and may trade on the way. A total at or below what is filled cancels the rest.
        case to(amount: AmountLots?, price: PriceTicks?)
        /// Takes this much off what is open and keeps the place; at or above what is open it cancels the rest.
        case reduce(by: AmountLots)
        /// What shall be open from now on, at the given price, always at the back of the queue under the same id.
        case replace(open: AmountLots, price: PriceTicks)
    }
}

public struct CancelAll: Hashable, Sendable {
    /// Whose orders; nil means everybody's, which only an operator may ask for.
    public var owner: UserID?
    /// One side only, or both.
    public var side: Side?

    public init(owner: UserID?, side: Side? = nil) {
        self.owner = owner
        self.side = side
    }
}
