import ArgumentParser
import OrderBook
import Postgres
import Store

struct BenchTrades: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trades", abstract: "Store a generated history of trades.",
        discussion: """
            Trades that come from no command, in batches as the matching transaction stores them, candles with them, day
            by day. Their markets, H-1 and so on, are new and hold a history only: they take no orders. Ticks and lots
            are 0.01 and 0.00000001. The same seed gives the same trades.

            Example:
              pgbook bench trades --markets 10 --trades 10000000 --from 2025-10-12 --days 30
              pgbook bench trades --trades 200000 --no-candles --json
            """)

    @Option(help: "How many markets, 1 to 1000.")
    var markets = 1
    @Option(help: "How many trades, of all markets together, 1 to 1000000000.")
    var trades = 1_000_000
    @Option(help: "The first day.")
    var from = "2025-10-12"
    @Option(help: "How many days, 1 to 10000.")
    var days = 30
    @Option(help: "What the trades begin with.")
    var seed: UInt64 = 1
    @Flag(help: "Keep no candles, to measure what they cost.")
    var noCandles = false
    @OptionGroup var batch: BatchOption
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard 1...1000 ~= markets else { throw ValidationError("--markets \(markets) is not within 1 to 1000") }
        guard 1...10_000 ~= days else { throw ValidationError("--days \(days) is not within 1 to 10000") }
        guard 1...1_000_000_000 ~= trades else {
            throw ValidationError("--trades \(trades) is not within 1 to 1000000000")
        }
        guard let day = timestamp(from), day.rawValue % 86_400_000_000 == 0 else {
            throw ValidationError("--from '\(from)' is not a day such as 2025-10-12")
        }
    }

    func run() throws {
        let connection = try connection.connect(for: .working)
        let markets = try addMarkets(connection)
        var histories = markets.indices.map { TradeHistory(seed: seed &* 1_000_003 &+ UInt64($0)) }
        var bar = ProgressBar(total: trades, unit: "trades")
        try connection.checkpoint()
        let before = try Resources.used(connection)
        let start = ContinuousClock.now
        var (stored, begun) = (0, 0)
        for day in 0..<days {
            let time = Timestamp((timestamp(from)?.rawValue ?? 0) + Int64(day) * 86_400_000_000)
            for (place, market) in markets.enumerated() {
                // Spread so that all of them together are exactly as many as were asked for.
                let slot = day * markets.count + place + 1
                let count = trades * slot / (days * markets.count) - begun
                begun += count
                let made = histories[place].trades(of: time, count: count)
                for start in stride(from: 0, to: made.count, by: batch.size) {
                    let part = Array(made[start..<min(made.count, start + batch.size)])
                    try connection.storeTrades(part, of: market, keepsCandles: !noCandles)
                    stored += part.count
                    bar.update(done: stored, count: stored)
                }
            }
        }
        let elapsed = ContinuousClock.now - start
        let used = try Resources.used(connection).since(before)
        bar.finish()
        for (market, history) in zip(markets, histories) {
            guard let last = history.last else { continue }
            try connection.endHistory(of: market, last: last)
            if !noCandles { try connection.closeCandles(of: market) }
        }
        report(elapsed, used)
    }

    private func addMarkets(_ connection: StoreConnection) throws -> [Market] {
        let known = Set(try connection.markets().map(\.symbol))
        let symbols = (1...).lazy.map { "H-\($0)" }.filter { !known.contains($0) }.prefix(markets)
        for symbol in symbols {
            let market = NewMarket(
                name: symbol, tickSize: PostgresNumeric(unscaled: 1, scale: 2),
                lotSize: PostgresNumeric(unscaled: 1, scale: 8))
            try connection.addMarket(market).get()
        }
        let added = Set(symbols)
        return try connection.markets().filter { added.contains($0.symbol) }.sorted { $0.number < $1.number }
    }

    private func report(_ elapsed: Duration, _ used: Resources) {
        let rate = Int64(Double(trades) / (Double(elapsed.microseconds) / 1_000_000))
        guard output.json else {
            return print("\(trades) trades in \(elapsed.microseconds / 1000) ms: \(rate) per second; seed \(seed)")
        }
        print(
            JSON.object([
                ("contestant", .string("trades")), ("seed", .number("\(seed)")), ("orders", .number("\(trades)")),
                ("trades", .number("\(trades)")), ("elapsed_us", .number("\(elapsed.microseconds)")),
                ("client_cpu_us", .number("\(used.clientCPU)")),
                ("server_cpu_us", used.serverCPU.map { .number("\($0)") } ?? .null),
                ("wal_bytes", .number("\(used.walBytes)")),
            ]))
    }
}
