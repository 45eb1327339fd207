import ArgumentParser
import OrderBook
import Postgres
import Store

struct RetentionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention", abstract: "Drop old trades in whole chunks; candles stay. Set the chunks' size.",
        discussion: """
            A chunk goes when all of its time is older than --keep. What is dropped is gone: the log of commands, the
            candles and the busts stay, but seconds, analytics and CSV of trades end there, and candles of that time
            can no longer be checked. It takes the node's role.

            Nobody waits for it: a chunk that somebody reads is tried again for as long as --patience says, with
            pauses in which others may read.

            Example:
              pgbook retention --keep 90d --dry-run
              pgbook retention --keep 90d
              pgbook retention --chunk 12h
            """)

    @Option(help: "How much to keep, such as 90d.")
    var keep: TimeSpan?
    @Flag(help: "Only say what would be dropped.")
    var dryRun = false
    @Option(help: "How much time new chunks cover: hours that divide a day, or whole days.")
    var chunk: TimeSpan?
    @Option(help: "How long to try a chunk that somebody reads.")
    var patience = TimeSpan(.seconds(60))
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if keep == nil, chunk == nil { throw ValidationError("give --keep, --chunk or both") }
        try patience.require("--patience", .zero ... .seconds(30 * 86_400))
        if let keep, keep.duration <= .zero { throw ValidationError("--keep \(keep) would keep nothing") }
        try keep?.require("--keep", .microseconds(1) ... .seconds(365_000 * 86_400))
        try chunk?.require("--chunk", .seconds(1) ... .seconds(3_650 * 86_400))
        if let chunk, chunk.microseconds % 1_000_000 != 0 { throw ValidationError("--chunk \(chunk) is too fine") }
    }

    func run() throws {
        let connection = try connection.connect(for: .working)
        if let chunk, !dryRun {
            try connection.setTradeChunk(seconds: chunk.duration.components.seconds)
            if !output.json { print("new chunks of trades cover \(chunk)") }
        }
        guard let keep else {
            if output.json { print(JSON.object([("chunks", .array([]))])) }
            return
        }
        let before = max(
            Bounds.times.lowerBound, Timestamp(PostgresTimestamp.now().microsecondsSinceUnixEpoch) - keep.microseconds)
        let chunks =
            try dryRun
            ? connection.tradeChunks(before: before)
            : connection.dropTrades(before: before, patience: patience.duration) { complain($0) }
        output.json ? print(json(chunks)) : show(chunks, before)
    }

    private func show(_ chunks: [TradeChunk], _ before: Timestamp) {
        guard !chunks.isEmpty else { return print("no chunk of trades ends before \(before.short)") }
        var table = Table(("chunk", .left), ("from", .left), ("to", .left), ("trades", .right))
        for chunk in chunks { table.add(chunk.name, chunk.begins.short, chunk.ends.short, "\(chunk.trades)") }
        printLines(table.lines(on: .standard))
        let trades = chunks.reduce(0) { $0 + $1.trades }
        let count = "\(chunks.count) chunk\(chunks.count == 1 ? "" : "s") with \(trades) trades"
        print(dryRun ? "would drop \(count)" : "dropped \(count); candles stay")
    }

    private func json(_ chunks: [TradeChunk]) -> JSON {
        .object([
            ("dry_run", .bool(dryRun)),
            (
                "chunks",
                .array(
                    chunks.map {
                        .object([
                            ("chunk", .string($0.name)), ("from", .time($0.begins)), ("to", .time($0.ends)),
                            ("trades", .number($0.trades)),
                        ])
                    })
            ),
        ])
    }
}
