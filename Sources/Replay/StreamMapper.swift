public import OrderBook

/// What is to be done about one item of a stream.
public enum StreamStep: Hashable, Sendable {
    /// Execute it, and give the renderer its outcome and trades.
    case execute(StreamCommand)
    /// Refused without a look at the book; only the renderer has to know.
    case refuse(number: Int, StreamRefusal)
    /// Read the levels of the book after everything before, and give them to the renderer.
    case snapshot(label: String, depth: Int)
}

/// A command of a stream, ready to be executed.
public struct StreamCommand: Hashable, Sendable {
    /// The 1-based number of the item, snapshots counted.
    public let number: Int
    /// The command's id; a place command's id is its order's id.
    public let id: OrderID
    public let action: Command.Action
    /// The order this command is about, under the caller's id that it has from this command on.
    let subject: OrderID
    let callerID: Int64
}

/// Why an item was refused, as the results name it.
public enum StreamRefusal: String, Hashable, Sendable {
    case unknown, duplicate, bad
}

/// Turns the items of a stream into commands. It decides nothing that depends on the book, so that commands may be sent
/// in batches of any size before a single outcome is known.
///
/// An id is used from the moment a well-formed `place` or `replace` gives it to an order, also if the `replace` then
/// finds its order gone: whether it does is not known here.
public struct StreamMapper: Sendable {
    public private(set) var identifiers: RunIdentifiers
    private var count = 0
    /// The order that bears a caller's id now, or bore it last.
    private var orders: [Int64: OrderID] = [:]

    public init(run: UInt64) { identifiers = RunIdentifiers(run: run) }

    public mutating func step(for item: StreamItem) -> StreamStep {
        count += 1
        switch item {
        case .place(let id, let side, let kind, let price, let amount):
            if orders[id] != nil { return .refuse(number: count, .duplicate) }
            guard amount > 0, kind == .market ? price == 0 : price > 0 else {
                return .refuse(number: count, .bad)
            }
            let order = identifiers.next()
            orders[id] = order
            return .execute(
                StreamCommand(
                    number: count, id: order, action: .place(Self.place(side, kind, price, amount)), subject: order,
                    callerID: id))
        case .cancel(let id):
            let target = orders[id] ?? identifiers.absent
            return command(.cancel(target), about: target, id)
        case .reduce(let id, let by):
            guard by > 0 else { return .refuse(number: count, .bad) }
            let target = orders[id] ?? identifiers.absent
            return command(.amend(Amend(target: target, change: .reduce(by: AmountLots(by)))), about: target, id)
        case .replace(let id, let newID, let price, let amount):
            if orders[newID] != nil { return .refuse(number: count, .duplicate) }
            guard amount > 0, price > 0 else { return .refuse(number: count, .bad) }
            let target = orders[id] ?? identifiers.absent
            orders[newID] = target
            if orders[id] != nil { orders[id] = identifiers.absent }
            let change = Amend.Change.replace(open: AmountLots(amount), price: PriceTicks(price))
            return command(.amend(Amend(target: target, change: change)), about: target, newID)
        case .snapshot(let label, let depth):
            return .snapshot(label: label, depth: depth)
        }
    }

    private mutating func command(_ action: Command.Action, about subject: OrderID, _ callerID: Int64) -> StreamStep {
        .execute(
            StreamCommand(
                number: count, id: identifiers.next(), action: action, subject: subject, callerID: callerID))
    }

    private static func place(_ side: Side, _ kind: StreamItem.Kind, _ price: Int64, _ amount: Int64) -> Place {
        let timeInForce: TimeInForce =
            switch kind {
            case .limit: .gtc
            case .market, .ioc: .ioc
            case .fok: .fok
            }
        return Place(
            side: side, price: kind == .market ? nil : PriceTicks(price), amount: AmountLots(amount),
            timeInForce: timeInForce)
    }
}
