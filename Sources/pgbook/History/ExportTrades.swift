import ArgumentParser
import Glibc
import History
import OrderBook
import Postgres
import Store

struct ExportTrades: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trades", abstract: "Write trades, oldest first.",
        discussion: """
            Columns: \(TradeColumn.allCases.map(\.rawValue).joined(separator: ","))
            Prices and amounts are exact decimals; busted trades are left out.

            Example:
              pgbook export trades BTC-USD --from 2026-01-01 --to 2026-02-01 -o january.csv
              pgbook export trades BTC-USD --split day --gzip --manifest -o 'trades-%Y-%m-%d.csv.gz'
              pgbook export trades --columns time,symbol,price,amount --time us | head
            """)

    @Argument(help: "The market; without it all markets, one after the other.")
    var market: String?
    @Option(help: "csv, json (an array) or ndjson (an object per line).")
    var format: String = "csv"
    @OptionGroup var options: ExportOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        var export = TradeExport(target: options.target)
        export.shape = try shape()
        (export.from, export.to) = try options.range()
        export.latestFirst = options.order == "desc"
        if let columns = try options.chosen(TradeColumn.self) { export.columns = columns }
        if let time = try options.timeStyle() { export.time = time }
        try connection.export { connection, check in
            let markets = try connection.histories(market)
            let total = isatty(STDERR_FILENO) == 1 ? try count(markets, export, connection) : 0
            var bar = ProgressBar(total: total, unit: "trades")
            defer { bar.finish() }
            let files = try export.run(connection, markets) { rows in
                try check()
                bar.update(done: rows, count: rows)
            }
            if options.manifest {
                let ranges = markets.compactMap { export.range(of: $0) }
                try ExportManifest(
                    kind: "trades", markets: markets.map(\.symbol), format: format,
                    from: export.from ?? ranges.map(\.from).min(), to: export.to ?? ranges.map(\.to).max(), files: files
                ).write(for: export.target)
            }
        }
    }

    private func shape() throws(Failure) -> RowShape {
        switch format {
        case "csv": return .csv
        case "json": return .json
        case "ndjson": return .ndjson
        case _ where ExportFormat(rawValue: format) != nil:
            throw Failure(.usage, "--format \(format) is a format of candles; trades come as csv, json or ndjson")
        default: throw Failure(.usage, "--format '\(format)' is unknown; use csv, json or ndjson")
        }
    }

    private func count(_ markets: [MarketHistory], _ export: TradeExport, _ connection: Connection) throws -> Int {
        try markets.reduce(0) { total, market in
            guard let range = export.range(of: market) else { return total }
            return total + (try connection.countTrades(market.symbol, from: range.from, to: range.to))
        }
    }
}
