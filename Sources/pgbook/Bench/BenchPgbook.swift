import ArgumentParser
import Exchange
import OrderBook
import Store

struct BenchPgbook: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pgbook", abstract: "Run a flow through the exchange.",
        discussion: """
            The flow runs in new markets of the database, which nobody else may match meanwhile. Every batch is entered
            and executed in durable transactions; an order's latency is the time from handing its batch over to knowing
            that its outcome is durable. A checkpoint precedes the measurement, which takes a superuser's rights.

            Example:
              pgbook bench pgbook --flow crossing --orders 100000 --batch 1000 --verify
              pgbook bench pgbook --flow normal --file normal.csv.gz --orders 50000 --json
              pgbook bench pgbook --flow crossing --orders 100000 --rate 20000

            Exit codes: 0 measured · 1 --verify found a difference
            """)

    @OptionGroup var flow: FlowOptions
    @OptionGroup var batch: BatchOption
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    @Option(help: "Orders per second, in an open loop: latency counts from when an order was to be sent.")
    var rate: Int?

    @Flag(help: "Then replay the log and compare all tables, as pgbook verify does.")
    var verify = false

    func validate() throws {
        guard rate.map({ 1...1_000_000 ~= $0 }) ?? true else {
            throw ValidationError("--rate \(rate ?? 0) is not within 1 to 1000000")
        }
    }

    func run() throws {
        let connection = try connection.connect(for: .working)
        let markets = try BenchMarkets.add(flow.marketCount, connection)
        let run = UInt64(markets[0].number.rawValue) << 32
        var bench = BenchRun(try flow.makeFlow(run: run))
        if let resting = flow.makeRestingFlow(run: run) { try load(resting, connection, markets) }
        var subject = try DirectSubject(connection, markets: markets)
        var bar = ProgressBar(total: flow.orders, unit: "orders")
        try connection.checkpoint()
        let memoryStart = ResidentMemory.now()
        let before = try Resources.used(connection)
        let start = ContinuousClock.now
        if let rate {
            try bench.run(&subject, batch: batch.size, rate: rate) { bar.update(done: $0, count: $0) }
        } else {
            try bench.run(&subject, batch: batch.size) { bar.update(done: $0, count: $0) }
        }
        let elapsed = ContinuousClock.now - start
        let used = try Resources.used(connection).since(before)
        bar.finish()
        var report = BenchReport(
            contestant: "pgbook", flow: flow.flow.rawValue, batch: batch.size, run: bench, elapsed: elapsed, used: used,
            memoryStart: memoryStart, memoryPeak: ResidentMemory.peak())
        let differences = verify ? try verification(of: markets) : []
        if verify { report.isVerified = differences.isEmpty }
        if output.json { print(report.json) } else { report.show() }
        if let first = differences.first {
            throw Failure(.refused, "log and tables differ: \(first.market): \(first.rule): \(first.description)")
        }
    }

    /// Not measured.
    private func load(_ resting: any Flow, _ connection: StoreConnection, _ markets: [Market]) throws {
        let size = 10_000
        var run = BenchRun(resting)
        var subject = try DirectSubject(connection, markets: markets)
        var bar = ProgressBar(total: flow.resting, unit: "resting orders")
        try run.run(&subject, batch: size) { bar.update(done: $0, count: $0) }
        bar.finish()
    }

    private func verification(of markets: [Market]) throws -> [Verification.Difference] {
        // Not the connection that matched: its planner was told to go by index only.
        let connection = try connection.connect(for: .working)
        return try markets.flatMap { try Verification(connection).run($0).differences }
    }
}

struct BatchOption: ParsableArguments {
    @Option(name: .customLong("batch"), help: "Orders per batch, 1 to 100000.")
    var size = 1000

    func validate() throws {
        guard 1...100_000 ~= size else { throw ValidationError("--batch \(size) is not within 1 to 100000") }
    }
}
