public import OrderBook

/// Writes the results of a stream (`*.expected.out`), in the order of the stream.
public struct StreamRenderer: Sendable {
    /// What is written and not yet taken.
    private var lines = LineWriter(reusing: [])
    private let identifiers: RunIdentifiers
    /// The caller's id of each order, by the order's number in the run, as of the last command rendered.
    private var callerIDs: [Int64?] = []

    /// - Parameter run: the same as the mapper's.
    public init(run: UInt64) { identifiers = RunIdentifiers(run: run) }

    /// The bytes written since the last call.
    public mutating func take() -> [UInt8] {
        defer { lines = LineWriter(reusing: []) }
        return lines.bytes
    }

    /// The results of one command: its trades, then what was dropped or why it was refused.
    public mutating func render(_ command: StreamCommand, _ outcome: Outcome, trades: some Sequence<Trade>) {
        name(command)
        for trade in trades {
            line("T", command.number)
            field(trade.takerOrder)
            field(trade.makerOrder)
            lines.field(trade.price.rawValue)
            lines.field(trade.amount.rawValue)
            lines.endLine()
        }
        if let reason = Self.refusal(outcome.code) {
            line("X", command.number)
            lines.field(reason)
            lines.endLine()
        } else if case .place = command.action, outcome.dropped > .zero {
            line("D", command.number)
            lines.field(command.callerID)
            lines.field(outcome.dropped.rawValue)
            lines.endLine()
        }
    }

    public mutating func render(refused number: Int, _ refusal: StreamRefusal) {
        line("X", number)
        lines.field(refusal.rawValue)
        lines.endLine()
    }

    /// The answer to a snapshot: the best levels of both sides, best first.
    public mutating func render(snapshot label: String, depth: Int, bids: [Level], asks: [Level]) {
        lines.field("S")
        lines.field(label)
        for index in 0..<depth {
            for side in [asks, bids] {
                if index < side.count {
                    lines.field(side[index].price.rawValue)
                    lines.field(side[index].amount)
                } else {
                    lines.field("")
                    lines.field("")
                }
            }
        }
        lines.endLine()
    }

    /// The book at the end: all levels of both sides, best first.
    public mutating func render(finalBids bids: [Level], asks: [Level]) {
        for (side, levels) in [("B", bids), ("S", asks)] {
            for level in levels {
                lines.field("B")
                lines.field(side)
                lines.field(level.price.rawValue)
                lines.field(level.amount)
                lines.field(Int64(level.orders))
                lines.endLine()
            }
        }
    }

    private mutating func line(_ kind: String, _ number: Int) {
        lines.field(kind)
        lines.field(Int64(number))
    }

    /// From this command on the order bears this id.
    private mutating func name(_ command: StreamCommand) {
        switch command.action {
        case .place: break
        case .amend(let amend):
            guard case .replace = amend.change else { return }
        case .cancel, .cancelAll, .halt, .resume, .expire: return
        }
        guard let number = identifiers.number(of: command.subject) else { return }
        while callerIDs.count <= number { callerIDs.append(nil) }
        callerIDs[number] = command.callerID
    }

    private mutating func field(_ order: OrderID) {
        if let number = identifiers.number(of: order), number < callerIDs.count, let id = callerIDs[number] {
            lines.field(id)
        } else {
            lines.field(order.description)
        }
    }

    /// How the results name a refusal; nil for outcomes that are none, and for those that count as a dropped order.
    private static func refusal(_ code: OutcomeCode) -> String? {
        switch code {
        case .noLiquidity, .cannotFill: nil
        case .unknownOrder, .alreadyClosed, .notYours: StreamRefusal.unknown.rawValue
        case .duplicate: StreamRefusal.duplicate.rawValue
        case .notPositive: StreamRefusal.bad.rawValue
        default: code.isRefusal ? code.name : nil
        }
    }
}
