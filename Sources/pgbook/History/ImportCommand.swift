import ArgumentParser
import History
import OrderBook
import Postgres
import Store

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Read trades of another venue, so that analytics can be run on them.",
        subcommands: [ImportTrades.self, ImportList.self, ImportUndo.self])
}

struct ImportTrades: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trades", abstract: "Store a CSV of trades in a market that holds a history and takes no orders.",
        discussion: """
            All trades of the file are stored, or none. Each id is taken once: ids rise above those of the market's
            trades, and times may not fall as ids rise; lines may come in any order. The market is made if it is not
            there, with --tick and --lot. Times to come are refused without --future. pgbook import undo takes an import
            back. Columns are named as in the header: time, price, amount, taker_side and trade_id
            unless told otherwise.

            Example:
              pgbook import trades kraken.csv --security XBT-USDT --tick 0.1 --lot 0.00000001 --time ns \\
                --columns time=ts_ns,price=price,amount=qty,side=side,id=id
              pgbook export trades BTC-USD | pgbook import trades - --security COPY --tick 0.5 --lot 0.001
            """)

    @Argument(help: "The file, plain or by gzip; - is standard input.")
    var file: String
    @Option(help: "The market.")
    var security: String
    @Option(parsing: .unconditional, help: "The tick size of a new market: prices are multiples of it.")
    var tick: String?
    @Option(parsing: .unconditional, help: "The lot size of a new market: amounts are multiples of it.")
    var lot: String?
    @Option(
        help: ArgumentHelp(
            "Which column holds the time, price, amount, side (of the taker) and id.", valueName: "field=name,…"))
    var columns: String?
    @Option(help: "How times are written: iso, s, ms, us or ns.")
    var time = "iso"
    @Flag(help: "Take trades whose time has not come.")
    var future = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        guard let unit = TradeImport.TimeUnit(rawValue: time) else {
            throw Failure(.usage, "--time '\(time)' is unknown; use iso, s, ms, us or ns")
        }
        let trades = TradeImport(
            symbol: security, tickSize: try tick.map { text throws(Failure) in try decimal(text, "tick_size") },
            lotSize: try lot.map { text throws(Failure) in try decimal(text, "lot_size") }, columns: try mapping(),
            time: unit, allowsFuture: future, readTime: { timestamp($0) })
        let connection = try connection.connect(for: .working)
        let interruption = Interruption(of: connection.interrupt, isOnce: true, cancels: true)
        var bar: ProgressBar?
        defer { bar?.finish() }
        do {
            let count = try trades.run(file, connection) { done, size, count in
                if interruption.hasCome { throw Failure(.interrupted) }
                if bar == nil { bar = ProgressBar(total: size, unit: "trades") }
                bar?.update(done: done, count: count)
            }
            bar?.finish()
            bar = nil
            if output.json {
                print(JSON.object([("security", .string(security)), ("trades", .number(count))]))
            } else {
                print("imported  \(count) trades into \(security)")
            }
        } catch {
            if interruption.hasCome { throw Failure(.interrupted) }
            throw error
        }
    }

    private func mapping() throws(Failure) -> [ImportField: String] {
        var mapping: [ImportField: String] = [:]
        for pair in columns?.split(separator: ",") ?? [] {
            let parts = pair.split(separator: "=", maxSplits: 1).map { String($0) }
            guard parts.count == 2, let field = ImportField(rawValue: parts[0]) else {
                let names = ImportField.allCases.map(\.rawValue).joined(separator: ", ")
                throw Failure(.usage, "--columns has '\(pair)'; write field=name, with a field of \(names)")
            }
            mapping[field] = parts[1]
        }
        return mapping
    }
}
