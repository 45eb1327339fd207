public import OrderBook
public import Postgres

/// What became of an executed command; of a place, what became of its order since.
public struct CommandState: Hashable, Sendable {
    public var id: OrderID
    public var market: MarketNumber
    public var code: OutcomeCode
    /// Traded so far.
    public var filled: AmountLots
    /// Open in the book now.
    public var remaining: AmountLots
    public var isResting: Bool
    /// Why it left the book; nil where it never rested or still does.
    public var closed: CloseReason?

    public init(
        id: OrderID, market: MarketNumber, code: OutcomeCode, filled: AmountLots, remaining: AmountLots,
        isResting: Bool, closed: CloseReason?
    ) {
        self.id = id
        self.market = market
        self.code = code
        self.filled = filled
        self.remaining = remaining
        self.isResting = isResting
        self.closed = closed
    }

    /// `closed.reason`.
    public enum CloseReason: Int16, Hashable, Sendable {
        case filled = 1
        case cancelled = 2
        case expired = 3
        /// Self-trade prevention took the rest.
        case prevented = 4
    }

    /// The words of the view `pgbook.orders`.
    public var status: String {
        if isResting { return "open" }
        switch closed {
        case .filled: return "filled"
        case .cancelled, .prevented: return "cancelled"
        case .expired: return "expired"
        case nil: break
        }
        switch code {
        case .open: return "open"
        case .filled: return "filled"
        case .dropped: return "cancelled"
        default: return "refused"
        }
    }

    /// The word of the view `pgbook.orders` for why; nil where `status` says it all.
    public var reason: String? {
        if code.rawValue > 2 { return code.name }
        return closed == .prevented ? "self_trade_prevention" : nil
    }
}

extension Connection {
    /// Of these commands those that were executed or refused, in no particular order; without what cannot be read.
    public func commandStates(_ ids: [OrderID]) throws -> [CommandState] {
        try execute(SQL.orderStates, ids.map(\.uuid)).compactMap { try? CommandState.decode($0) }
    }
}

extension CommandState {
    fileprivate static func decode(_ row: Row) throws -> CommandState {
        var columns = row.reader()
        let id = OrderID(try columns.next(PostgresUUID.self))
        let market = MarketNumber(rawValue: try columns.next())
        let codeNumber = try columns.next(Int16.self)
        guard let code = OutcomeCode(rawValue: codeNumber) else { throw StoreFault("outcome code \(codeNumber)") }
        return CommandState(
            id: id, market: market, code: code, filled: AmountLots(try columns.next()),
            remaining: AmountLots(try columns.next()), isResting: try columns.next(),
            closed: try columns.next(Int16?.self).flatMap { CommandState.CloseReason(rawValue: $0) })
    }
}
