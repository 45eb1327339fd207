import OrderBook
import Postgres
import Store

/// Gives commands and shows what became of them: what the single commands and the shell have in common.
struct Desk {
    let connection: Connection
    let screen = Screen.standard
    var asJSON: Bool
    /// Nil: do not wait for outcomes.
    var patience: Duration?
    /// Asked while waiting.
    var isStopped: () -> Bool = { false }

    init(_ connection: Connection, asJSON: Bool, patience: Duration?) throws {
        self.connection = connection
        self.asJSON = asJSON
        self.patience = patience
        // Before the first command is given, so that no notification is missed.
        if patience != nil { try connection.listenForOutcomes() }
    }

    /// Waits for the outcome of a command that was taken in, and prints it.
    /// - Throws: `Failure` where it was refused, or has no outcome in time.
    func finish(_ entered: Result<OrderID, Rejection>) throws {
        try finish([try entered.get()])
    }

    func finish(_ ids: [OrderID]) throws {
        guard let patience else {
            show(ids.map { JSON.object([("id", .id($0))]) }, ids.map { "taken in  \($0)" })
            return
        }
        let deadline = ContinuousClock.now + patience
        let commands = try connection.waitForOutcomes(of: ids, until: deadline, isStopped: isStopped)
        let fills = try commands.map { try connection.fills(of: $0) }
        if asJSON {
            show(zip(commands, fills).map { $0.json(fills: $1) }, [])
        } else {
            show([], try zip(commands, fills).flatMap { try outcomeLines($0, fills: $1) })
        }
        try requireOutcomes(commands)
    }

    /// One thing as an object, several as an array.
    private func show(_ objects: [JSON], _ lines: [String]) {
        guard asJSON else { return printLines(lines) }
        print(objects.count == 1 ? objects[0] : .array(objects))
    }

    private func requireOutcomes(_ commands: [CommandRecord]) throws {
        if let waiting = commands.first(where: { $0.code == nil }) {
            if isStopped() { throw Failure(.interrupted, "stopped waiting; command \(waiting.id) is in the log") }
            throw Failure(
                .outcomeUnknown,
                "no outcome yet: command \(waiting.id) is in the log and will be executed by the next matcher; is one running "
                    + "(pgbook doctor)? Do not give it again under another id")
        }
        for command in commands {
            guard let code = command.code, code.isRefusal else { continue }
            // With --json the outcome was printed already, with its code.
            throw Failure(.refused, code.explanation, code: asJSON ? nil : code.name)
        }
    }

    // MARK: for people

    private func outcomeLines(_ command: CommandRecord, fills: [TradeRecord]) throws -> [String] {
        guard let code = command.code else { return ["waiting  \(command.id)"] }
        var facts: [String] = []
        if let filled = command.filled, filled.unscaled > 0 {
            facts.append("filled \(filled)" + (command.averagePrice.map { " at \($0) on average" } ?? ""))
        }
        if let remaining = command.remaining, remaining.unscaled > 0 { facts.append("open \(remaining)") }
        if let dropped = command.dropped, dropped.unscaled > 0, !code.isRefusal { facts.append("dropped \(dropped)") }
        let word = screen.styled(code.name, code.isRefusal ? .warning : .bold)
        let side = command.kind == "place" ? try connection.order(command.id)?.side.word ?? "" : ""
        let head = ([word, side, command.summary] + [facts.joined(separator: ", ")]).filter { !$0.isEmpty }.joined(
            separator: "  ")
        guard !fills.isEmpty else { return [head + "  \(command.id)"] }
        var table = Table(("trade", .right), ("price", .point), ("amount", .point), ("total", .point), ("maker", .left))
        for fill in fills {
            table.add(
                "\(fill.id.rawValue)", "\(fill.price)", "\(fill.amount)", "\(fill.total)",
                fill.makerUser?.rawValue ?? "")
        }
        return [head + "  \(command.id)"] + table.lines(on: screen, indent: 2)
    }
}

extension CommandRecord {
    /// What was asked for: `10 @ 101.5 BTC-USD`, `cancel BTC-USD`.
    fileprivate var summary: String {
        let what = [amount.map { "\($0)" }, price.map { "@ \($0)" }, market].compactMap { $0 }.joined(separator: " ")
        return printable(kind == "place" ? what : "\(kind.replacing("_", with: "-")) \(what)")
    }
}

extension OutcomeCode {
    /// Why a command was refused when its turn came, in one line.
    var explanation: String {
        switch self {
        case .halted: "the market was halted when the command's turn came; it can go on with: pgbook market resume"
        case .noLiquidity: "there was nothing on the other side to trade with; give a limit price to let it rest"
        case .wouldCross:
            "the order would have traded at once, and post-only forbids it; use a price behind the other side"
        case .cannotFill: "the order could not be filled whole at once, as fok asks"
        case .alreadyClosed: "the order is filled, cancelled or expired already"
        case .unknownOrder: "the order never came to be: it was refused itself"
        case .expired: "its time had passed"
        case .late: "it became visible after its pool was executed; give it again"
        default: "the command was refused"
        }
    }
}
