public import OrderBook

/// A message of a workload, ready to be executed.
public struct ConformanceCommand: Hashable, Sendable {
    public let message: ConformanceMessage
    /// The command's id; a place command's id is its order's id.
    public let id: OrderID
    public let action: Command.Action
    /// The order that the message is about.
    let subject: OrderID
}

/// Turns messages into commands. It decides nothing that depends on the book, so that commands may be sent in batches of
/// any size before a single outcome is known.
public struct ConformanceMapper: Sendable {
    public private(set) var identifiers: RunIdentifiers
    /// The order that bears an id now, or bore it last.
    private var orders: [Int64: OrderID] = [:]

    public init(run: UInt64) { identifiers = RunIdentifiers(run: run) }

    public mutating func command(for message: ConformanceMessage) -> ConformanceCommand {
        let id = identifiers.next()
        switch message.kind {
        case .place:
            orders[message.orderID] = id
            let place = Place(
                side: message.side, price: PriceTicks(message.price), amount: AmountLots(message.amount),
                timeInForce: message.isImmediateOrCancel ? .ioc : .gtc)
            return ConformanceCommand(message: message, id: id, action: .place(place), subject: id)
        case .cancel:
            let target = orders[message.orderID] ?? identifiers.absent
            return ConformanceCommand(message: message, id: id, action: .cancel(target), subject: target)
        case .modify:
            let target = orders[message.orderID] ?? identifiers.absent
            let change = Amend.Change.replace(open: AmountLots(message.amount), price: PriceTicks(message.price))
            let action = Command.Action.amend(Amend(target: target, change: change))
            return ConformanceCommand(message: message, id: id, action: action, subject: target)
        }
    }
}
