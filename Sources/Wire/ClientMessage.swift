public import OrderBook

/// What a client may send.
public enum ClientMessage: Hashable, Sendable {
    case add(AddOrder)
    case amend(AmendOrder)
    /// `delete`: cancels one order.
    case delete(OrderID)
    case cancelAll(CancelOrders)
    /// The securities to follow from now on, instead of those before.
    case subscribe(securities: [String])
    /// Takes a lasting user id instead of the socket's own.
    case auth(token: String)
    /// Whether the socket's open orders are cancelled when it closes.
    case cancelOnDisconnect(Bool)
}

/// `{"type":"add",…}`: what is wanted, not yet checked against any market.
public struct AddOrder: Hashable, Sendable {
    public enum ExecType: String, Hashable, Sendable, CaseIterable { case market, limit }
    public enum TimeInForceName: String, Hashable, Sendable, CaseIterable { case gtc, ioc, fok, gtd }

    public var security: String
    public var side: Side
    public var execType: ExecType
    public var amount: ExactDecimal
    /// Present if and only if `execType` is limit.
    public var price: ExactDecimal?
    /// Nil is gtc. The rest of a market order is dropped in any case.
    public var timeInForce: TimeInForceName?
    /// Present if and only if `timeInForce` is gtd.
    public var expires: Timestamp?
    public var postOnly: Bool
    public var selfTradePrevention: SelfTradePrevention?
    public var clientOrderID: String?

    public init(
        security: String, side: Side, execType: ExecType, amount: ExactDecimal, price: ExactDecimal? = nil,
        timeInForce: TimeInForceName? = nil, expires: Timestamp? = nil, postOnly: Bool = false,
        selfTradePrevention: SelfTradePrevention? = nil, clientOrderID: String? = nil
    ) {
        self.security = security
        self.side = side
        self.execType = execType
        self.amount = amount
        self.price = price
        self.timeInForce = timeInForce
        self.expires = expires
        self.postOnly = postOnly
        self.selfTradePrevention = selfTradePrevention
        self.clientOrderID = clientOrderID
    }
}

/// `{"type":"amend",…}`: a new total amount, a new price, or both.
public struct AmendOrder: Hashable, Sendable {
    public var id: OrderID
    public var amount: ExactDecimal?
    public var price: ExactDecimal?

    public init(id: OrderID, amount: ExactDecimal? = nil, price: ExactDecimal? = nil) {
        self.id = id
        self.amount = amount
        self.price = price
    }
}

/// `{"type":"cancelAll",…}`: the user's open orders in one market, of one side or both.
public struct CancelOrders: Hashable, Sendable {
    public var security: String
    public var side: Side?

    public init(security: String, side: Side? = nil) {
        self.security = security
        self.side = side
    }
}

extension Side {
    /// The word on the wire.
    public var name: String { self == .bid ? "bid" : "ask" }
    public init?(name: String) {
        switch name {
        case "bid": self = .bid
        case "ask": self = .ask
        default: return nil
        }
    }
}

extension SelfTradePrevention {
    /// The two letters on the wire.
    public var name: String {
        switch self {
        case .decrementAndCancel: "dc"
        case .cancelOldest: "co"
        case .cancelNewest: "cn"
        case .cancelBoth: "cb"
        }
    }
    public init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }
}
