import ArgumentParser
import History
import OrderBook
import Postgres
import Store

struct ExportOrders: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orders", abstract: "Write orders and what became of them, oldest first.",
        discussion: """
            Columns: those of the view pgbook.orders. A range is of the times at which orders entered.

            Example:
              pgbook export orders BTC-USD --from 2026-01-01 --columns id,time,user_id,status,filled -o orders.csv
            """)

    @Argument(help: "The market; without it all markets.")
    var market: String?
    @Option(help: "csv, json (an array) or ndjson (an object per line).")
    var format = "csv"
    @OptionGroup var options: ExportOptions
    @OptionGroup var connection: ConnectionOptions

    static let columns = [
        "id", "time", "user_id", "type", "exec_type", "amount", "price", "security", "status", "filled", "remaining",
        "avg_price", "reason", "time_in_force", "post_only", "self_trade_prevention", "expires", "client_order_id",
        "origin", "seq", "accepted_at", "executed_at",
    ]

    func validate() throws {
        guard ["csv", "json", "ndjson"].contains(format) else {
            throw ValidationError("--format '\(format)' is unknown for orders; use csv, json or ndjson")
        }
        if options.time != nil { throw ValidationError("--time does not go with orders, whose times are all iso") }
    }

    func run() throws {
        let chosen = options.columns?.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
        let columns = chosen ?? Self.columns
        if let unknown = columns.first(where: { !Self.columns.contains($0) }) {
            throw Failure(.usage, "--columns has '\(unknown)'; there are \(Self.columns.joined(separator: ","))")
        }
        let range = try options.range()
        let layout = RecordLayout(columns: columns, shape: format == "csv" ? .csv : format == "json" ? .json : .ndjson)
        try connection.export { connection, check in
            let markets = try connection.histories(market)
            var writer = RecordWriter(layout, target: options.target)
            do {
                try connection.streamOrders(
                    market, from: range.from, to: range.to, latestFirst: options.order == "desc"
                ) { order in
                    let values = Dictionary(uniqueKeysWithValues: order.json.members)
                    try writer.write(columns.map { values[$0]?.exported ?? .none }, time: order.time.rawValue)
                    if writer.rows % 1000 == 0 { try check() }
                }
                let files = try writer.finish()
                guard options.manifest else { return }
                try ExportManifest(
                    kind: "orders", markets: markets.map(\.symbol), format: format, from: range.from, to: range.to,
                    files: files
                ).write(for: options.target)
            } catch {
                writer.discard()
                throw error
            }
        }
    }
}

extension JSON {
    fileprivate var members: [(String, JSON)] {
        if case .object(let members) = self { members } else { [] }
    }

    fileprivate var exported: ExportValue {
        switch self {
        case .number(let digits): .number(digits)
        case .string(let text): .text(text)
        case .bool(let value): .number(value ? "true" : "false")
        case .null, .object, .array: .none
        }
    }
}
