import ArgumentParser
import OrderBook
import Store

struct BenchLimit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit",
        abstract: "Store by COPY what a flow results in: the limit of any exchange over these tables.",
        discussion: """
            The flow is executed in memory, unmeasured. Measured is the storing of the same rows by binary COPY into
            copies of the tables, one durable transaction per batch: each command with its outcome as one row of the
            log, each trade, each order that left the book, the rows that came to rest in the batch and rest at its end,
            and each minute's candle once, when it is over. Nothing is read, updated or deleted.

            The tables are those of sql/bench/limit.sql, which must have been run on the database.

            Example:
              pgbook bench limit --flow crossing --orders 100000 --batch 1000
            """)

    @OptionGroup var flow: FlowOptions
    @OptionGroup var batch: BatchOption
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let connection = try connection.connect(for: .working)
        var limit = LimitRun(try flow.makeFlow(run: 0))
        if let resting = flow.makeRestingFlow(run: 0) { try limit.load(resting, connection) }
        var bar = ProgressBar(total: flow.orders, unit: "orders")
        try connection.checkpoint()
        let memoryStart = ResidentMemory.now()
        let before = try Resources.used(connection)
        while try limit.storeBatch(of: batch.size, connection) {
            bar.update(done: limit.run.orders, count: limit.run.orders)
        }
        try limit.storeLastCandles(connection)
        var used = try Resources.used(connection).since(before)
        used.clientCPU = limit.clientCPU
        bar.finish()
        let report = BenchReport(
            contestant: "limit", flow: flow.flow.rawValue, batch: batch.size, run: limit.run, elapsed: limit.elapsed,
            used: used, memoryStart: memoryStart, memoryPeak: ResidentMemory.peak())
        if output.json { print(report.json) } else { report.show() }
    }
}
