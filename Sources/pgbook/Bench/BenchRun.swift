import OrderBook
import Postgres
import Store

/// Runs a flow through a contestant, batch by batch, and counts.
struct BenchRun {
    var flow: any Flow
    var orders = 0
    var trades = 0
    /// Orders that traded at once.
    var takers = 0
    var refused = 0
    var latencies = Latencies()
    private var sent: [(at: ContinuousClock.Instant, orders: Int)] = []

    init(_ flow: any Flow) { self.flow = flow }

    mutating func run(_ subject: inout some BenchSubject, batch: Int, progress: (Int) -> Void) throws {
        while let orders = try nextBatch(of: batch) {
            sent.append((at: .now, orders: orders.count))
            try take(subject.submit(orders))
            progress(self.orders)
        }
        try take(subject.finish())
    }

    /// Nil at the end of the flow.
    mutating func nextBatch(of size: Int) throws -> [FlowOrder]? {
        var batch: [FlowOrder] = []
        batch.reserveCapacity(size)
        while batch.count < size, let order = try flow.next() { batch.append(order) }
        return batch.isEmpty ? nil : batch
    }

    private mutating func take(_ batches: [[FlowResult]]) {
        let now = ContinuousClock.now
        for batch in batches {
            let (at, orders) = sent.removeFirst()
            latencies.record(now - at, orders: orders)
            for result in batch { count(result) }
        }
    }

    mutating func count(_ result: FlowResult) {
        orders += 1
        trades += result.trades.count
        takers += result.trades.isEmpty ? 0 : 1
        refused += result.outcome.code.isRefusal ? 1 : 0
        flow.executed(result)
    }
}

/// The markets of one measurement: new ones, with tick and lot 1.
enum BenchMarkets {
    static func add(_ count: Int, _ connection: StoreConnection) throws -> [Market] {
        let known = Set(try connection.markets().map(\.symbol))
        let symbols = (1...).lazy.map { "BENCH-\($0)" }.filter { !known.contains($0) }.prefix(count)
        let one = PostgresNumeric(unscaled: 1, scale: 0)
        for symbol in symbols {
            try connection.addMarket(NewMarket(name: symbol, tickSize: one, lotSize: one)).get()
        }
        let added = Set(symbols)
        return try connection.markets().filter { added.contains($0.symbol) }.sorted { $0.number < $1.number }
    }
}
