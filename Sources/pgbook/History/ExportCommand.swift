import ArgumentParser
import Glibc
import History
import OrderBook
import Postgres
import Store

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write candles, trades or orders as CSV or JSON.",
        subcommands: [ExportCandles.self, ExportTrades.self, ExportOrders.self])
}

/// What all exports have in common.
struct ExportOptions: ParsableArguments {
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp(
            "The file, which appears when it is complete; - is standard output. With --split it may hold strftime patterns.",
            valueName: "file"))
    var output = "-"
    @Option(
        help: ArgumentHelp("From this time on, such as 2026-01-01 or 2026-01-01T12:00:00Z (UTC).", valueName: "time"))
    var from: String?
    @Option(help: ArgumentHelp("Up to this time, which is not in it.", valueName: "time"))
    var to: String?
    @Option(help: ArgumentHelp("How times are written: iso, s, ms, us, ns, or a strftime pattern.", valueName: "style"))
    var time: String?
    @Option(help: ArgumentHelp("These columns, in this order.", valueName: "a,b,c"))
    var columns: String?
    @Option(help: "asc (oldest first) or desc.")
    var order: String?
    @Option(help: "One file per day or month (UTC).")
    var split: String?
    @Flag(help: "Compress with gzip.")
    var gzip = false
    @Flag(help: "Write a manifest beside the file: rows, first and last trade, sha256.")
    var manifest = false

    func validate() throws {
        if let split, ExportTarget.Split(rawValue: split) == nil {
            throw ValidationError("--split '\(split)' is neither day nor month")
        }
        if split != nil, output == "-" { throw ValidationError("--split makes several files; name them with -o FILE") }
        if manifest, output == "-" { throw ValidationError("--manifest stands beside a file; give one with -o FILE") }
        if let order, order != "asc", order != "desc" {
            throw ValidationError("--order '\(order)' is neither asc nor desc")
        }
    }

    var target: ExportTarget {
        ExportTarget(
            path: output == "-" ? nil : output, split: split.flatMap { ExportTarget.Split(rawValue: $0) },
            isCompressed: gzip)
    }

    func timeStyle() throws(Failure) -> TimeStyle? {
        guard let time else { return nil }
        guard let style = TimeStyle(time) else {
            throw Failure(
                .usage, "--time '\(time)' is none of iso, s, ms, us, ns, nor a strftime pattern such as %Y-%m-%d")
        }
        return style
    }

    func range() throws(Failure) -> (from: Timestamp?, to: Timestamp?) {
        (try instant(from, "--from"), try instant(to, "--to"))
    }

    private func instant(_ text: String?, _ name: String) throws(Failure) -> Timestamp? {
        guard let text else { return nil }
        guard let time = timestamp(text) else {
            throw Failure(
                .usage, "\(name) '\(text.prefix(50))' is not a time such as 2026-01-01 or 2026-01-01T12:00:00Z")
        }
        return time
    }

    /// The columns asked for, of those there are.
    func chosen<Column: RawRepresentable & CaseIterable>(_: Column.Type) throws(Failure) -> [Column]?
    where Column.RawValue == String {
        guard let columns else { return nil }
        var chosen: [Column] = []
        for name in columns.split(separator: ",", omittingEmptySubsequences: false) {
            guard let column = Column(rawValue: String(name)) else {
                let names = Column.allCases.map(\.rawValue).joined(separator: ",")
                throw Failure(.usage, "--columns has '\(name)'; there are \(names)")
            }
            guard !chosen.contains(where: { $0.rawValue == column.rawValue }) else {
                throw Failure(.usage, "--columns has \(name) twice")
            }
            chosen.append(column)
        }
        return chosen
    }
}

extension ConnectionOptions {
    /// Runs an export at one moment of the database, until Ctrl-C ends it. A reader of standard output that leaves ends
    /// it without a word.
    func export(_ body: (Connection, _ check: () throws -> Void) throws -> Void) throws {
        let connection = try connect(for: .reading)
        signal(SIGPIPE, SIG_IGN)
        let interruption = Interruption(of: connection.interrupt, isOnce: true, cancels: true)
        let check = { if interruption.hasCome { throw Failure(.interrupted) } }
        do {
            try connection.readAtOneMoment { connection in try body(connection, check) }
        } catch let error as HistoryError where error.kind == .readerLeft {
            return
        } catch {
            // What was cancelled fails with words of its own.
            try check()
            throw error
        }
    }
}

extension Connection {
    /// The named market or all there are.
    func histories(_ name: String?) throws -> [MarketHistory] {
        let markets = try marketHistories(named: name)
        if let name, markets.isEmpty {
            throw Failure(
                .refused, "there is no market '\(name)'; pgbook market list shows them",
                code: OutcomeCode.unknownMarket.name, field: "security")
        }
        return markets
    }
}
