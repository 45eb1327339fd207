public import OrderBook

/// Writes the report lines of a workload, in the order of its messages.
///
/// `0,seq,side,id,price,qty` order ack · `1,seq,price,qty,maker,taker` trade · `2,seq,side,id,price` cancel ack, also of
/// the rest of an ioc · `3,seq,side,id,price,qty` modify ack, after its trades · `4,seq,id` cancel reject ·
/// `5,seq,id` modify reject.
public struct ConformanceRenderer: Sendable {
    private var lines = LineWriter(reusing: [])
    private let identifiers: RunIdentifiers
    /// What reports say of each order, by the order's number in the run, as of the last message rendered.
    private var orders: [Order?] = []

    private struct Order: Sendable {
        var callerID: Int64
        var side: Side
        var price: Int64
    }

    /// - Parameter run: the same as the mapper's.
    public init(run: UInt64) { identifiers = RunIdentifiers(run: run) }

    /// The bytes written since the last call; each line ends with a line feed.
    public mutating func take() -> [UInt8] {
        defer { lines = LineWriter(reusing: []) }
        return lines.bytes
    }

    /// The reports of one message.
    public mutating func render(_ command: ConformanceCommand, _ outcome: Outcome, trades: some Sequence<Trade>) {
        let message = command.message
        switch message.kind {
        case .place:
            set(command.subject, Order(callerID: message.orderID, side: message.side, price: message.price))
            acknowledge(0, message, side: message.side)
            render(trades, message)
            if outcome.dropped > .zero {
                renderCancel(message, side: message.side, price: message.price)
            }
        case .cancel:
            guard !outcome.code.isRefusal, let order = order(command.subject) else { return reject(4, message) }
            renderCancel(message, side: order.side, price: order.price)
        case .modify:
            guard !outcome.code.isRefusal, var order = order(command.subject) else { return reject(5, message) }
            order.price = message.price
            set(command.subject, order)
            render(trades, message)
            acknowledge(3, message, side: order.side)
        }
    }

    private mutating func render(_ trades: some Sequence<Trade>, _ message: ConformanceMessage) {
        for trade in trades {
            start(1, message)
            lines.field(trade.price.rawValue)
            lines.field(trade.amount.rawValue)
            field(trade.makerOrder)
            field(trade.takerOrder)
            lines.endLine()
        }
    }

    private mutating func acknowledge(_ kind: Int64, _ message: ConformanceMessage, side: Side) {
        start(kind, message)
        lines.field(Int64(side.rawValue))
        lines.field(message.orderID)
        lines.field(message.price)
        lines.field(message.amount)
        lines.endLine()
    }

    private mutating func renderCancel(_ message: ConformanceMessage, side: Side, price: Int64) {
        start(2, message)
        lines.field(Int64(side.rawValue))
        lines.field(message.orderID)
        lines.field(price)
        lines.endLine()
    }

    private mutating func reject(_ kind: Int64, _ message: ConformanceMessage) {
        start(kind, message)
        lines.field(message.orderID)
        lines.endLine()
    }

    private mutating func start(_ kind: Int64, _ message: ConformanceMessage) {
        lines.field(kind)
        lines.field(message.seq)
    }

    private mutating func field(_ id: OrderID) {
        if let order = order(id) { lines.field(order.callerID) } else { lines.field(id.description) }
    }

    private func order(_ id: OrderID) -> Order? {
        guard let number = identifiers.number(of: id), number < orders.count else { return nil }
        return orders[number]
    }

    private mutating func set(_ id: OrderID, _ order: Order) {
        guard let number = identifiers.number(of: id) else { return }
        while orders.count <= number { orders.append(nil) }
        orders[number] = order
    }
}
