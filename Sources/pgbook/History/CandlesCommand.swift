import ArgumentParser
import Foundation
import History
import OrderBook
import Postgres
import Store

struct CandlesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "candles", abstract: "Show a market's candles; check or rebuild them.",
        discussion: """
            Without a range it shows the latest --last candles. --from is part of the range, --to is not;
            a candle belongs to it by the time at which it begins. Times without a zone are UTC.

            Example:
              pgbook candles BTC-USD --interval 5m --last 100 --plot
              pgbook candles BTC-USD --interval 1d --from 2026-01-01 --to 2026-02-01 --tz Europe/Berlin
              pgbook candles BTC-USD --interval 1h --svg hours.svg
              pgbook candles verify
            """,
        subcommands: [CandlesShowCommand.self, CandlesVerifyCommand.self, CandlesRebuildCommand.self],
        defaultSubcommand: CandlesShowCommand.self)
}

struct CandlesShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show candles as a table, a chart or JSON (the default).")

    @Argument(help: "The market; may be left out where there is one only.")
    var market: String?
    @Option(help: ArgumentHelp("How long a candle is: \(CandleInterval.names).", valueName: "interval"))
    var interval = "1m"
    @Option(help: "The first time, such as 2026-01-01 or 2026-01-01T09:30Z; without it, all there is.")
    var from: String?
    @Option(help: "The time at which to end.")
    var to: String?
    @Option(help: "At most so many candles, the latest (up to \(limitMax)).")
    var last: Int?
    @Option(help: "What to show for a candle without a trade: none, zero (no prices) or previous (the last close).")
    var fill = "none"
    @Option(help: "The time zone whose days, weeks and months to show, such as Europe/Berlin.")
    var tz = "UTC"
    @Flag(help: "Draw them in the terminal.")
    var plot = false
    @Option(help: ArgumentHelp("Draw them into an SVG file; - is standard output.", valueName: "file"))
    var svg: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard last.map({ (1...limitMax).contains($0) }) ?? true else {
            throw ValidationError("--last \(last ?? 0) is outside 1 to \(limitMax)")
        }
        if svg == "-", plot || output.json {
            throw ValidationError("--svg - writes to standard output, and so do --plot and --json: name a file")
        }
        if plot, output.json { throw ValidationError("--plot and --json do not go together") }
    }

    func run() throws {
        let range = (from: try from.map { try bound($0, "from") }, to: try to.map { try bound($0, "to") })
        let connection = try connection.connect(for: .reading)
        let market = try connection.theMarket(market)
        var candles: [CandleRecord]
        let count = last ?? (plot ? CandleChart.candlesMax(columns: Screen.size.columns) : 20)
        if range.from == nil, range.to == nil {
            candles = try connection.lastCandles(
                market, interval: interval, count: Int32(count), fill: fill, tz: tz)
        } else {
            candles = try connection.candles(
                market, interval: interval, from: range.from ?? Timestamp(Int64.min),
                to: range.to ?? Timestamp(Int64.max), fill: fill, tz: tz)
            if let last { candles = Array(candles.suffix(last)) }
        }
        if let svg { try write(CandleSVG(market: market, interval: interval, candles: candles).text, to: svg) }
        if output.json { return print(CandleRecord.json(candles)) }
        if plot {
            let size = Screen.size
            let chart = CandleChart(
                market: market, interval: interval, candles: candles, screen: .standard, columns: size.columns,
                rows: min(size.rows, 30))
            return printLines(chart.lines())
        }
        if svg == nil { showCandles(candles) }
    }

    private func bound(_ text: String, _ field: String) throws -> Timestamp {
        guard let time = timestamp(text) else {
            throw Failure(
                .refused, "--\(field) '\(text.prefix(50))' is no time such as 2026-01-01 or 2026-01-01T09:30Z",
                code: OutcomeCode.badValue.name, field: field)
        }
        return time
    }

    /// Whole or not at all.
    private func write(_ text: String, to path: String) throws {
        if path == "-" { return print(text, terminator: "") }
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw Failure(.unavailable, "cannot write \(path): \(error.localizedDescription)")
        }
    }
}

func showCandles(_ candles: [CandleRecord]) {
    guard !candles.isEmpty else { return print("no candles") }
    var table = Table(
        ("time", .left), ("open", .point), ("high", .point), ("low", .point), ("close", .point), ("volume", .point),
        ("trades", .right), ("vwap", .point))
    func text(_ number: PostgresNumeric?) -> String? { number.map { "\($0)" } }
    for candle in candles {
        table.add(
            String(candle.time.short.dropLast(4)), text(candle.open), text(candle.high), text(candle.low),
            text(candle.close), text(candle.volume), "\(candle.trades)", text(candle.vwap),
            style: candle.trades == 0 ? .dim : candle.isFalling ? .ask : .bid)
    }
    printLines(table.lines(on: .standard))
}

struct CandlesVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compute all candles again from the raw trades, and name the first difference.",
        discussion: """
            It reads one moment of a live database and writes nothing. Trades that were dropped by pgbook retention
            cannot be computed again: it says how many minutes it could not check.

            Example:
              pgbook candles verify
              pgbook candles verify BTC-USD --json

            Exit codes: 0 no difference · 1 something differs
            """)

    @Argument(help: "One market only.")
    var market: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let connection = try connection.connect(for: .reading)
        var reports: [CandleVerification.Report] = []
        for market in try connection.allMarkets(market) {
            reports.append(try verifyCandles(of: market, on: connection, isQuiet: output.json))
        }
        if output.json { print(JSON.array(reports.map(\.json))) }
        let count = reports.count { $0.difference != nil }
        if count > 0 {
            throw Failure(
                .refused,
                "the candles of \(count) market\(count == 1 ? "" : "s") differ; mend them: pgbook candles rebuild")
        }
        if reports.isEmpty, !output.json { print("no markets") }
    }
}

/// Verifies, with a bar for a person, and says what was found.
func verifyCandles(of market: Market, on connection: Connection, isQuiet: Bool) throws -> CandleVerification.Report {
    let (_, total) = try StoredMarket(connection, market: market).history()
    let interruption = Interruption(of: connection.interrupt, isOnce: true)
    var bar = ProgressBar(total: Int(total), unit: "trades")
    let report = try CandleVerification(connection) { report in
        if interruption.hasCome { throw CancellationError() }
        bar.update(done: Int(report.trades), count: Int(report.trades))
    }.run(market)
    bar.finish()
    if !isQuiet { report.show(bar.elapsed) }
    return report
}

extension CandleVerification.Report {
    func show(_ elapsed: Duration) {
        let screen = Screen.standard
        let verdict = difference == nil ? screen.styled("right", .bid) : screen.styled("DIFFERS", .ask)
        var line = "\(market): \(verdict): \(candles) candles of \(trades) trades"
        if busted > 0 { line += ", \(busted) busted" }
        print(line + " in \(elapsed.inSeconds)")
        if let horizon, uncheckedMinutes > 0 {
            print("  not checked: \(uncheckedMinutes) minutes before \(horizon.utc), whose trades were dropped")
        }
        if let difference { print("  \(printable(difference.description))") }
    }

    var json: JSON {
        let difference: JSON =
            difference.map {
                .object([
                    ("interval", .string($0.level.rawValue)), ("time", .time($0.time)), ("column", .string($0.column)),
                    ("stored", .text($0.stored)), ("computed", .text($0.computed)),
                    ("description", .string($0.description)),
                ])
            } ?? .null
        return .object([
            ("security", .string(market)), ("trades", .number(trades)), ("busted", .number(busted)),
            ("candles", .number(candles)), ("dropped_before", .time(horizon)),
            ("unchecked_minutes", .number(uncheckedMinutes)), ("difference", difference),
        ])
    }
}

struct CandlesRebuildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild", abstract: "Make all candles what the raw trades say.",
        discussion: """
            Day by day, each in a transaction of its own, while matching goes on. Ctrl-C ends it between two days; the
            next rebuild goes on there. Candles of trades that were dropped by pgbook retention stay as they are.

            Example:
              pgbook candles rebuild BTC-USD
            """)

    @Argument(help: "One market only.")
    var market: String?
    @Flag(help: "Begin at the beginning, though an earlier rebuild ended too early.")
    var restart = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let connection = try connection.connect(for: .working)
        let interruption = Interruption(of: connection.interrupt, isOnce: true)
        var reports: [CandleRebuild.Report] = []
        for market in try connection.allMarkets(market) {
            var bar: ProgressBar?
            let report = try CandleRebuild(connection) { report in
                if interruption.hasCome { throw CancellationError() }
                var shown = bar ?? ProgressBar(total: report.daysTotal, unit: "days")
                shown.update(done: report.days, count: report.days)
                bar = shown
            }.run(market, fromBeginning: restart)
            bar?.finish()
            reports.append(report)
            if !output.json {
                let resumed = report.resumedAt.map { ", gone on with at \($0.utc.prefix(10))" } ?? ""
                print("\(printable(report.market)): \(report.days) days, \(report.changed) candles mended\(resumed)")
            }
        }
        if output.json {
            print(
                JSON.array(
                    reports.map {
                        .object([
                            ("security", .string($0.market)), ("days", .number($0.days)),
                            ("changed", .number($0.changed)), ("resumed_at", .time($0.resumedAt)),
                        ])
                    }))
        }
    }
}

extension Connection {
    /// All markets, or the named one.
    func allMarkets(_ name: String?) throws -> [Market] {
        let markets = try markets().filter { name == nil || $0.symbol == name }
        if let name, markets.isEmpty {
            throw Failure(
                .refused, "there is no market '\(name)'; pgbook market list shows them",
                code: OutcomeCode.unknownMarket.name, field: "market")
        }
        return markets
    }
}
