import ArgumentParser
import Exchange
import Glibc
import OrderBook
import Postgres
import Replay
import Store

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Run recorded commands through a market and print what became of them.",
        discussion: """
            Every command is entered, matched in a transaction and its outcome and trades are read back from the
            tables; the results do not depend on --batch. The market must be new: it is added with tick 1 and lot 1
            if there is none. Prices and amounts of the file are whole ticks and lots.

            Formats: stream (place,… cancel,… reduce,… replace,… snap,…) and conformance
            (seq,type,side,ioc,qty,order_id,price), told apart by their first line. A .gz file is unpacked; - is
            standard input.

            Example:
              pgbook replay --market REPLAY-1 commands.csv > results.out
              pgbook replay --memory --sha256 workload.csv.gz
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case stream, conformance
    }

    @OptionGroup var connection: ConnectionOptions

    @Option(help: "The market to replay into.")
    var market: String?

    @Option(help: "Commands per transaction, 1 to 100000.")
    var batch = 1000

    @Option(help: "The file's format: stream or conformance (default: by its first line).")
    var format: Format?

    @Option(
        help: "How commands go in: direct (entered and executed in one transaction) or logged (entered, then matched).")
    var entrance = ReplayEntrance.direct

    @Flag(help: "Run through the order book in memory, without a database.")
    var memory = false

    @Flag(name: .customLong("sha256"), help: "Print the SHA-256 of the results' lines instead of the lines.")
    var isDigest = false

    @Argument(help: ArgumentHelp("The recorded commands.", valueName: "file"))
    var file: String

    func validate() throws {
        guard (1...100_000).contains(batch) else { throw ValidationError("--batch \(batch) is not within 1 to 100000") }
        guard memory != (market != nil) else {
            throw ValidationError("give either --market NAME to replay into, or --memory")
        }
    }

    func run() throws {
        let bytes = try ReplayInput.read(file)
        let heading = "seq,type,side,ioc,qty,order_id,price"
        let format = format ?? (bytes.starts(with: heading.utf8) ? .conformance : .stream)
        var sink = ReplaySink(isDigest: isDigest)
        var bar = ProgressBar(total: bytes.count, unit: "commands")
        let (commands, trades): (Int, Int)
        do {
            (commands, trades) =
                if let market {
                    try replay(bytes, format, into: market, &sink, &bar)
                } else {
                    try replayInMemory(bytes, format, &sink, &bar)
                }
        } catch let error as ReplayError {
            bar.finish()
            throw Failure(.usage, "\(file): \(error)")
        } catch let fault as ReplayFault {
            bar.finish()
            throw Failure(.refused, fault.description)
        }
        bar.finish()
        try sink.finish()
        let milliseconds = max(1, bar.elapsed.milliseconds)
        writeError(
            "\(commands) commands, \(trades) trades in \(bar.elapsed.inSeconds): \(commands * 1000 / milliseconds) commands/s\n"
        )
    }

    private func replay(
        _ bytes: [UInt8], _ format: Format, into symbol: String, _ sink: inout ReplaySink, _ bar: inout ProgressBar
    ) throws -> (Int, Int) {
        let connection = try connection.connect(for: .entering)
        let market = try newMarket(symbol, connection)
        // Ids of this run differ from those of runs into the other markets of the database.
        let run = UInt64(market.number.rawValue) << 32
        switch format {
        case .stream:
            var replay = try StreamDatabaseReplay(
                connection, market: market, stream: bytes, run: run, batchSize: batch, entrance: entrance)
            try replay.run {
                try sink.write($0)
            } progress: {
                bar.update(done: $0.bytesRead, count: $0.commandCount)
            }
            return (replay.commandCount, replay.tradeCount)
        case .conformance:
            var replay = try ConformanceDatabaseReplay(
                connection, market: market, workload: bytes, run: run, batchSize: batch, entrance: entrance)
            try replay.run {
                try sink.write($0)
            } progress: {
                bar.update(done: $0.bytesRead, count: $0.commandCount)
            }
            return (replay.commandCount, replay.tradeCount)
        }
    }

    private func newMarket(_ symbol: String, _ connection: StoreConnection) throws -> Market {
        if try !connection.markets().contains(where: { $0.symbol == symbol }) {
            try connection.addMarket(NewMarket(name: symbol, tickSize: .one, lotSize: .one)).get()
        }
        guard let market = try connection.markets().first(where: { $0.symbol == symbol }) else {
            throw Failure(.unexpected, "market \(symbol) was added and is not there")
        }
        let seq = try StoredMarket(connection, market: market).state().seq.rawValue
        guard seq == 0 else { throw ReplayFault.notEmpty(symbol, seq: seq) }
        return market
    }

    private func replayInMemory(
        _ bytes: [UInt8], _ format: Format, _ sink: inout ReplaySink, _ bar: inout ProgressBar
    ) throws -> (Int, Int) {
        switch format {
        case .stream:
            var run = StreamRun(bytes)
            try sink.write(try run.run())
            return (Int(run.book.state.seq.rawValue), Int(run.book.state.tradeID.rawValue))
        case .conformance:
            var run = ConformanceRun()
            var reader = ConformanceReader(bytes)
            while let message = try reader.next() {
                run.execute(message)
                guard run.messageCount & 0xfff == 0 else { continue }
                try sink.write(run.takeReports())
                bar.update(done: reader.bytesRead, count: run.messageCount)
            }
            try sink.write(run.takeReports())
            return (run.messageCount, run.tradeCount)
        }
    }
}

extension PostgresNumeric {
    fileprivate static let one = PostgresNumeric(unscaled: 1, scale: 0)
}

/// Where the results go: standard output, or the digest of their lines.
private struct ReplaySink {
    private var digest: ReportDigest?

    init(isDigest: Bool) { digest = isDigest ? ReportDigest() : nil }

    mutating func write(_ bytes: [UInt8]) throws {
        guard digest == nil else {
            digest?.update(bytes)
            return
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw Failure(.unexpected, "cannot write the results: \(String(cString: strerror(errno)))")
            }
            rest = rest.dropFirst(count)
        }
    }

    mutating func finish() throws {
        guard let digest else { return }
        self.digest = nil
        try write(Array((digest.finalize().hex + "\n").utf8))
    }
}
