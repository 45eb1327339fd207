import ArgumentParser
import OrderBook
import Store

struct ImportList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show what was imported, the latest first.",
        discussion: """
            Example:
              pgbook import list --security XBT-USDT
            """)

    @Option(help: "Only of this market.")
    var security: String?
    @Option(help: "At most so many.")
    var limit = 50
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard (1...100_000).contains(limit) else { throw ValidationError("--limit \(limit) is outside 1 to 100000") }
    }

    func run() throws {
        let connection = try connection.connect(for: .reading)
        if let security { _ = try connection.theMarket(security) }
        let imports = try connection.imports(of: security, max: limit)
        if output.json { return print(JSON.array(imports.map(\.json))) }
        guard !imports.isEmpty else { return print("nothing was imported") }
        var table = Table(
            ("import", .right), ("market", .left), ("trades", .right), ("from", .left), ("to", .left),
            ("imported", .left), ("file", .left), ("taken back", .left))
        for record in imports {
            table.add(
                String(record.number), record.market, String(record.trades), record.firstTime.short,
                record.lastTime.short, record.importedAt.short, record.source, record.undoneAt?.short)
        }
        printLines(table.lines(on: .standard))
    }
}

struct ImportUndo: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Take the latest import of a market back.",
        discussion: """
            Its trades go, with their busts and candles, and the market stands where it stood before. Run again it takes
            back the import before that. It takes the node's role.

            Example:
              pgbook import undo --security XBT-USDT
            """)

    @Option(help: "The market.")
    var security: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let record = try connection.connect(for: .working).undoImport(of: security)
        if output.json { return print(record.json) }
        print(
            "taken back  \(record.trades) trades of \(printable(record.market)), imported from \(printable(record.source))"
        )
    }
}

extension ImportRecord {
    fileprivate var json: JSON {
        .object([
            ("import", .number(number)), ("security", .string(market)), ("source", .string(source)),
            ("trades", .number(trades)), ("first_trade_id", .number(firstTrade.rawValue)),
            ("last_trade_id", .number(lastTrade.rawValue)), ("first_time", .time(firstTime)),
            ("last_time", .time(lastTime)), ("imported_at", .time(importedAt)), ("imported_by", .string(importedBy)),
            ("undone_at", .time(undoneAt)),
        ])
    }
}
