import ArgumentParser
import History
import OrderBook
import Postgres
import Store

struct ExportCandles: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "candles", abstract: "Write candles, oldest first, in a layout that other programs read.",
        discussion: """
            Columns: \(CandleColumn.allCases.map(\.rawValue).joined(separator: ","))
            Times are those at which the bars open. A bucket without a trade has no row unless --fill is given, and the
            bucket that goes on is left out.

            Example:
              pgbook export candles BTC-USD --interval 1h --from 2026-01-01 -o btc.csv
              pgbook export candles BTC-USD --format binance --split month --gzip -o 'BTCUSD-1m-%Y-%m.csv.gz'
              pgbook export candles BTC-USD --interval 1d --fill previous --format ccxt | python3 -m json.tool
            """)

    @Argument(help: "The market; without it all markets, one after the other.")
    var market: String?
    @Option(help: "The length of a candle, such as 1s, 1m, 5m, 1h, 1d, 1w or 1M.")
    var interval = "1m"
    @Option(help: ArgumentHelp("\(ExportFormat.names).", valueName: "format"))
    var format = "csv"
    @Option(help: "Buckets without a trade: none, zero, or previous (the last close goes on).")
    var fill = "none"
    @Flag(help: "Also the bucket that goes on.")
    var includeOpen = false
    @OptionGroup var options: ExportOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard ["none", "zero", "previous"].contains(fill) else {
            throw ValidationError("--fill '\(fill)' is unknown; use none, zero or previous")
        }
        guard CandleInterval(rawValue: interval) != nil else {
            throw ValidationError("--interval '\(interval)' is unknown; use one of \(CandleInterval.names)")
        }
        guard ExportFormat(rawValue: format) != nil else {
            throw ValidationError("--format '\(format)' is unknown; use one of \(ExportFormat.names)")
        }
    }

    func run() throws {
        let (interval, format) = (CandleInterval(rawValue: interval) ?? .minute, ExportFormat(rawValue: format) ?? .csv)
        let columns = try options.chosen(CandleColumn.self)
        let (time, range) = (try options.timeStyle(), try options.range())
        // Whatever does not go together is said before anything is asked of the database.
        _ = try CandleLayout(format, interval: interval, columns: columns, time: time, symbol: market)
        try connection.export { connection, check in
            let markets = try connection.histories(market)
            let layout = try CandleLayout(
                format, interval: interval, columns: columns, time: time, symbol: markets.first?.symbol)
            let export = CandleExport(
                layout, interval: interval, target: options.target, fill: fill, from: range.from, to: range.to,
                includesOpen: includeOpen, latestFirst: options.order.map { $0 == "desc" })
            let files = try export.run(connection, markets) { _ in try check() }
            guard options.manifest else { return }
            let ranges = try markets.compactMap { try export.range(of: $0, connection) }
            try ExportManifest(
                kind: "candles", markets: markets.map(\.symbol), format: format.rawValue, interval: interval.rawValue,
                from: range.from ?? ranges.map(\.from).min(), to: range.to ?? ranges.map(\.to).max(), files: files
            ).write(for: export.target)
        }
    }
}
