import OrderBook
import Postgres

// How what a batch did becomes rows. The order of columns is that of the statements in sql/queries/matching.sql.

/// The tables that a batch adds rows to.
enum Tables {
    static let rowTypes = [commands.rowType, outcomes.rowType, trades.rowType, book.rowType, closed.rowType]
}

/// A row of any market.
struct Marketed<Row: Sendable>: Sendable {
    var market: Int16
    var row: Row
}

/// A command with what became of it, as the log holds it.
struct LoggedCommand: Sendable {
    var command: Command
    var columns: ActionFields
    var execution: Execution

    init(_ command: Command, _ execution: Execution) {
        self.command = command
        self.execution = execution
        columns = ActionFields(command.action)
    }
}

extension Tables {
    static let commands = TableColumns<Marketed<LoggedCommand>>(
        copy: SQL.copyCommands, spread: SQL.spreadCommands, rowType: "pgbook_data.command_row",
        insert: SQL.insertCommands,
        columns: [
            Column { $0.market }, Column { $0.row.command.id.uuid }, Column { $0.row.command.time.postgres },
            Column { $0.row.columns.target?.uuid }, Column { $0.row.columns.amount?.rawValue },
            Column { $0.row.columns.price?.rawValue }, Column { $0.row.columns.expires?.postgres },
            Column { $0.row.columns.kind }, Column { $0.row.columns.side }, Column { $0.row.columns.execType },
            Column { $0.row.columns.timeInForce }, Column { $0.row.columns.prevention },
            Column { $0.row.columns.change }, Column { $0.row.columns.postOnly },
            Column { $0.row.command.user.rawValue }, Column { $0.row.columns.owner?.rawValue },
            Column { $0.row.command.clientOrderID }, Column { $0.row.command.origin },
            Column { $0.row.execution.seq.rawValue }, Column { $0.row.execution.outcome.filled.rawValue },
            Column { $0.row.execution.outcome.remaining.rawValue },
            Column { $0.row.execution.outcome.dropped.rawValue }, Column { $0.row.execution.digestHead },
            Column { $0.row.execution.outcome.code.rawValue }, Column { $0.row.execution.outcome.notional.numeric },
        ])
}

extension Tables {
    static let outcomes = TableColumns<Marketed<Execution>>(
        copy: SQL.copyOutcomes, spread: SQL.spreadOutcomes, rowType: "pgbook_data.outcome_row",
        insert: SQL.insertOutcomes,
        columns: [
            Column { $0.market }, Column { $0.row.id.uuid }, Column { $0.row.seq.rawValue },
            Column { $0.row.outcome.code.rawValue }, Column { $0.row.outcome.filled.rawValue },
            Column { $0.row.outcome.remaining.rawValue }, Column { $0.row.outcome.dropped.rawValue },
            Column { $0.row.outcome.notional.numeric }, Column { $0.row.digestHead },
        ])
}

extension Tables {
    static let trades = TableColumns<Marketed<Trade>>(
        copy: SQL.copyTrades, spread: SQL.spreadTrades, rowType: "pgbook_data.trade_row",
        insert: SQL.insertTrades,
        columns: [
            Column { $0.market }, Column { $0.row.time.postgres }, Column { $0.row.id.rawValue },
            Column { $0.row.seq.rawValue }, Column { $0.row.takerOrder.uuid }, Column { $0.row.makerOrder.uuid },
            Column { $0.row.takerUser.rawValue }, Column { $0.row.makerUser.rawValue },
            Column { Int16($0.row.takerSide.rawValue) }, Column { $0.row.price.rawValue },
            Column { $0.row.amount.rawValue }, Column { $0.row.bestBid?.rawValue }, Column { $0.row.bestAsk?.rawValue },
        ])
}

extension Tables {
    static let book = TableColumns<Marketed<RestingOrder>>(
        copy: SQL.copyResting, spread: SQL.spreadResting, rowType: "pgbook_data.resting_row",
        insert: SQL.insertResting,
        columns: [
            Column { $0.market }, Column { $0.row.id.uuid }, Column { $0.row.user.rawValue },
            Column { Int16($0.row.side.rawValue) }, Column { $0.row.price.rawValue },
            Column { $0.row.amount.rawValue }, Column { $0.row.filled.rawValue }, Column { $0.row.dropped.rawValue },
            Column { $0.row.notional.numeric }, Column { $0.row.priority.rawValue },
            Column { $0.row.expires?.postgres }, Column { $0.row.postOnly },
            Column { $0.row.selfTradePrevention.map { Int16($0.rawValue) } },
        ])
}

extension Tables {
    static let closed = TableColumns<Marketed<ClosedOrder>>(
        copy: SQL.copyClosed, spread: SQL.spreadClosed, rowType: "pgbook_data.closed_row",
        insert: SQL.insertClosed,
        columns: [
            Column { $0.market }, Column { $0.row.order.id.uuid }, Column { $0.row.seq.rawValue },
            Column { $0.row.order.price.rawValue }, Column { $0.row.order.amount.rawValue },
            Column { $0.row.order.filled.rawValue }, Column { $0.row.order.dropped.rawValue },
            Column { $0.row.reason.rawValue }, Column { $0.row.order.notional.numeric },
        ])
}

extension Execution {
    /// `digest_head`.
    fileprivate var digestHead: Int64 { Int64(bitPattern: digest.words.0) }
}

/// The columns of a command that depend on its kind.
struct ActionFields: Sendable {
    var kind: Int16
    var side: Int16?
    var execType: Int16?
    var timeInForce: Int16?
    var prevention: Int16?
    var change: Int16?
    var postOnly: Bool?
    var amount: AmountLots?
    var price: PriceTicks?
    var target: OrderID?
    var expires: Timestamp?
    var owner: UserID?

    init(_ action: Command.Action) {
        switch action {
        case .place(let place):
            kind = 1
            side = Int16(place.side.rawValue)
            execType = place.price == nil ? 0 : 1
            timeInForce = place.timeInForce.code
            prevention = place.selfTradePrevention.map { Int16($0.rawValue) }
            postOnly = place.postOnly
            amount = place.amount
            price = place.price
            expires = place.timeInForce.expires
        case .amend(let amend):
            kind = 2
            change = amend.change.code
            amount = amend.change.amount
            price = amend.change.price
            target = amend.target
        case .cancel(let order):
            kind = 3
            target = order
        case .cancelAll(let scope):
            kind = 4
            side = scope.side.map { Int16($0.rawValue) }
            owner = scope.owner
        case .halt: kind = 5
        case .resume: kind = 6
        case .expire: kind = 7
        }
    }
}
