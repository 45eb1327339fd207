import ArgumentParser
import Exchange
import History
import OrderBook
import Store

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Prove that the tables are what the log of commands gives.",
        discussion: """
            Replays each market's commands by seq into an empty order book and compares every outcome, trade, closed
            order, candle, the book and the digest. It reads one moment of a live database and writes nothing. The
            first difference of each kind is named. A market whose trades were imported has no log: its candles are
            compared with its trades.

            Example:
              pgbook verify
              pgbook verify --market BTC-USD --json

            Exit codes: 0 all is proved · 1 something differs
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "One market only.")
    var market: String?

    func run() throws {
        let connection = try connection.connect(for: .reading)
        let list = try connection.marketList()
        let markets = list.markets.filter { market == nil || $0.symbol == market }
        let unreadable = list.unreadable.filter { market == nil || $0.symbol == market }
        if let market, markets.isEmpty, unreadable.isEmpty {
            throw Failure(
                .refused, "there is no market '\(market)'; pgbook market list shows them", code: "unknown_market",
                field: "market")
        }
        var reports: [Verification.Report] = []
        var imported: [CandleVerification.Report] = []
        for market in unreadable { reports.append(report(of: market)) }
        for market in markets {
            if try StoredMarket(connection, market: market).history().isImported {
                imported.append(try verifyCandles(of: market, on: connection, isQuiet: output.json))
                continue
            }
            // What cannot be read is told by the verification itself.
            let seq = (try? StoredMarket(connection, market: market).state().seq.rawValue) ?? 0
            var bar = ProgressBar(total: Int(seq), unit: "commands")
            let report = try Verification(connection) {
                bar.update(done: Int($0.commands), count: Int($0.commands))
            }.run(market)
            bar.finish()
            reports.append(report)
            if !output.json { show(report, bar.elapsed) }
        }
        if output.json { print(JSON.array(reports.map(\.json) + imported.map(\.json))) }
        let count = reports.reduce(0) { $0 + $1.differences.count } + imported.count { $0.difference != nil }
        if count > 0 { throw Failure(.refused, "\(count) difference\(count == 1 ? "" : "s") between log and tables") }
        if markets.isEmpty, !output.json { print("no markets") }
    }

    private func report(of market: UnreadableMarket) -> Verification.Report {
        var report = Verification.Report(market: market.symbol)
        report.differences = [
            Verification.Difference(
                market: market.symbol, rule: "state", description: "the market's row cannot be read: \(market.reason)")
        ]
        if !output.json { print("\(market.symbol): \(Screen.standard.styled("UNREADABLE", .ask)): \(market.reason)") }
        return report
    }

    private func show(_ report: Verification.Report, _ elapsed: Duration) {
        let screen = Screen.standard
        let verdict = report.differences.isEmpty ? screen.styled("proved", .bid) : screen.styled("DIFFERS", .ask)
        print(
            "\(report.market): \(verdict): \(report.commands) commands, \(report.trades) trades, \(report.restingOrders) resting orders, digest \(report.digest.hex.prefix(16))… in \(elapsed.inSeconds)"
        )
        if report.uncheckedTrades > 0 {
            print("  not checked: the rows of \(report.uncheckedTrades) trades, which were dropped")
        }
        for difference in report.differences { print("  \(difference.rule): \(difference.description)") }
    }
}

extension Verification.Report {
    fileprivate var json: JSON {
        .object([
            ("security", .string(market)), ("commands", .number(commands)), ("trades", .number(trades)),
            ("unchecked_trades", .number(uncheckedTrades)), ("resting_orders", .number(restingOrders)),
            ("digest", .string(digest.hex)),
            (
                "differences",
                .array(
                    differences.map {
                        .object([("rule", .string($0.rule)), ("description", .string($0.description))])
                    })
            ),
        ])
    }
}
