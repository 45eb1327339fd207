import OrderBook
import Postgres

/// Commands as rows of `pgbook_data.log_row`.
enum LogRows {
    static let rowType = "pgbook_data.log_row"

    struct Row: Sendable {
        var item: LoggedItem
        var origin: String
        var columns: ActionFields

        init(_ item: LoggedItem, origin: String) {
            self.item = item
            self.origin = origin
            columns = ActionFields(item.command.action)
        }
    }

    private static let columns: [Column<Row>] = [
        Column { $0.origin }, Column { $0.item.number }, Column { $0.item.isUnconfirmed },
        Column { $0.item.refusal?.rawValue }, Column { $0.item.command.market }, Column { $0.item.command.id.uuid },
        Column { $0.item.command.time.postgres }, Column { $0.columns.target?.uuid },
        Column { $0.columns.amount?.rawValue }, Column { $0.columns.price?.rawValue },
        Column { $0.columns.expires?.postgres }, Column { $0.columns.kind }, Column { $0.columns.side },
        Column { $0.columns.execType }, Column { $0.columns.timeInForce }, Column { $0.columns.prevention },
        Column { $0.columns.change }, Column { $0.columns.postOnly }, Column { $0.item.command.user.rawValue },
        Column { $0.columns.owner?.rawValue }, Column { $0.item.command.clientOrderID },
    ]

    /// The connection must have looked the type up.
    static func records(_ items: [LoggedItem], origin: String? = nil, _ pipeline: inout Pipeline) -> PostgresRecords {
        let rows = items.map { Row($0, origin: origin ?? $0.command.origin) }
        return PostgresRecords(pipeline.recordType(rowType), count: rows.count, columnCount: columns.count) {
            index, writer in
            for column in columns { column.record(rows[index], &writer) }
        }
    }
}

extension LoggedItem {
    /// Columns of read_items.
    static func decode(_ row: Postgres.Row) throws -> LoggedItem {
        var columns = row.reader()
        let number = try columns.next(Int64.self)
        let isUnconfirmed = try columns.next(Bool.self)
        let code = try columns.next(Int16?.self)
        let market = try columns.next(String.self)
        let command = try Command.decode(&columns, market: market)
        guard let code else { return LoggedItem(number: number, command: command, isUnconfirmed: isUnconfirmed) }
        guard let refusal = OutcomeCode(rawValue: code) else { throw StoreFault("outcome code \(code)") }
        return LoggedItem(number: number, command: command, isUnconfirmed: isUnconfirmed, refusal: refusal)
    }
}
