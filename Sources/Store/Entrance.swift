public import OrderBook
public import Postgres

/// A command as somebody gives it: decimals, no stamp yet. See `Connection.enter`.
public struct Entry: Hashable, Sendable {
    /// The caller may bring the id; otherwise the database makes one.
    public var id: OrderID?
    public var user: UserID
    /// The market's symbol. An amend or a cancel may leave it out.
    public var market: String?
    public var clientOrderID: String?
    public var action: Action

    public init(
        id: OrderID? = nil, user: UserID, market: String?, clientOrderID: String? = nil, action: Action
    ) {
        self.id = id
        self.user = user
        self.market = market
        self.clientOrderID = clientOrderID
        self.action = action
    }

    public enum Action: Hashable, Sendable {
        case place(PlaceEntry)
        case amend(target: OrderID, amount: PostgresNumeric?, price: PostgresNumeric?)
        case reduce(target: OrderID, by: PostgresNumeric)
        case replace(target: OrderID, open: PostgresNumeric, price: PostgresNumeric)
        case cancel(target: OrderID)
        case cancelAll(CancelAll)
        case halt
        case resume
        case expire
    }
}

/// An order as somebody gives it; without a price it is a market order.
public struct PlaceEntry: Hashable, Sendable {
    public var side: Side
    public var amount: PostgresNumeric
    public var price: PostgresNumeric?
    public var timeInForce: TimeInForce
    public var postOnly: Bool
    public var selfTradePrevention: SelfTradePrevention?

    public init(
        side: Side, amount: PostgresNumeric, price: PostgresNumeric?, timeInForce: TimeInForce = .gtc,
        postOnly: Bool = false, selfTradePrevention: SelfTradePrevention? = nil
    ) {
        self.side = side
        self.amount = amount
        self.price = price
        self.timeInForce = timeInForce
        self.postOnly = postOnly
        self.selfTradePrevention = selfTradePrevention
    }
}

/// What the entrance said to one entry.
public enum Admission: Hashable, Sendable {
    /// It stands in the log under this id. A retry gets the id of the first time.
    case admitted(OrderID, isRetry: Bool)
    /// Nothing was stored.
    case refused(Rejection)
}

/// Why the entrance refused an entry.
public struct Rejection: Error, Hashable, Sendable, CustomStringConvertible {
    public var code: OutcomeCode
    /// One line for a person.
    public var message: String
    /// The field at fault, named as in SQL.
    public var field: String?
    public var description: String { "\(code.name): \(message)" }

    public init(code: OutcomeCode, message: String, field: String? = nil) {
        self.code = code
        self.message = message
        self.field = field
    }
}

extension Connection {
    /// Enters commands: each is stored durably and stamped in the order given, or refused without a trace.
    /// - Returns: one admission per entry, in order.
    public func enter(_ entries: [Entry]) throws -> [Admission] {
        guard !entries.isEmpty else { return [] }
        let columns = entries.map { $0.action.columns }
        let rows = try execute(
            SQL.enter, columns.map(\.kind), entries.map { $0.id?.uuid }, entries.map(\.user.rawValue),
            entries.map(\.market), columns.map(\.side), columns.map(\.execType), columns.map(\.timeInForce),
            columns.map(\.postOnly), columns.map(\.prevention), columns.map(\.amount), columns.map(\.price),
            columns.map(\.target), columns.map(\.change), columns.map(\.expires), columns.map(\.owner),
            entries.map(\.clientOrderID))
        return try rows.map { row in
            let id: PostgresUUID? = try row.decode(at: 1)
            if let number: Int16 = try row.decode(at: 2) {
                guard let code = OutcomeCode(rawValue: number) else { throw StoreFault("refusal code \(number)") }
                return .refused(
                    Rejection(code: code, message: try row.decode(at: 3), field: try row.decode(at: 4)))
            }
            guard let id else { throw StoreFault("an admission without an id") }
            return .admitted(OrderID(id), isRetry: try row.decode(at: 5))
        }
    }
}

/// The columns of `pgbook_data.enter` that depend on the kind of command.
private struct EntryColumns {
    var kind: Int16
    var side: Int16?
    var execType: Int16?
    var timeInForce: Int16?
    var postOnly: Bool?
    var prevention: Int16?
    var amount: PostgresNumeric?
    var price: PostgresNumeric?
    var target: PostgresUUID?
    var change: Int16?
    var expires: PostgresTimestamp?
    var owner: String?
}

extension Entry.Action {
    fileprivate var columns: EntryColumns {
        switch self {
        case .place(let place):
            EntryColumns(
                kind: 1, side: Int16(place.side.rawValue), execType: place.price == nil ? 0 : 1,
                timeInForce: place.timeInForce.code, postOnly: place.postOnly,
                prevention: place.selfTradePrevention.map { Int16($0.rawValue) }, amount: place.amount,
                price: place.price, expires: place.timeInForce.expires?.postgres)
        case .amend(let target, let amount, let price):
            EntryColumns(kind: 2, amount: amount, price: price, target: target.uuid, change: 1)
        case .reduce(let target, let by):
            EntryColumns(kind: 2, amount: by, target: target.uuid, change: 2)
        case .replace(let target, let open, let price):
            EntryColumns(kind: 2, amount: open, price: price, target: target.uuid, change: 3)
        case .cancel(let target):
            EntryColumns(kind: 3, target: target.uuid)
        case .cancelAll(let scope):
            EntryColumns(kind: 4, side: scope.side.map { Int16($0.rawValue) }, owner: scope.owner?.rawValue)
        case .halt: EntryColumns(kind: 5)
        case .resume: EntryColumns(kind: 6)
        case .expire: EntryColumns(kind: 7)
        }
    }
}
