import Glibc
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
            // One order at a time is one that waits for its outcome.
            if batch == 1 { try take(subject.finish()) }
            progress(self.orders)
        }
        try take(subject.finish())
    }

    /// In an open loop: orders are due at a rate, whatever the subject does; what is due goes out together.
    /// - Parameters:
    ///   - batch: orders of a batch at the most.
    ///   - rate: orders per second.
    mutating func run(
        _ subject: inout some BenchSubject, batch: Int, rate: Int, progress: (Int) -> Void
    ) throws {
        latencies.isScheduled = true
        let start = ContinuousClock.now
        var due = 0
        func time(of order: Int) -> ContinuousClock.Instant {
            start + .nanoseconds(Int64(order) * 1_000_000_000 / Int64(rate))
        }
        while true {
            let (seconds, attoseconds) = (ContinuousClock.now - start).components
            let reached = Int(seconds) * rate + Int(attoseconds / 1_000_000_000) * rate / 1_000_000_000
            if reached <= due, !sent.isEmpty {
                try take(subject.finish())
            } else if reached <= due {
                // Coarser than the orders come: they are sent a little late, and that counts.
                usleep(50)
            } else {
                guard let orders = try nextBatch(of: min(batch, reached - due)) else { break }
                for order in due..<due + orders.count { sent.append((at: time(of: order), orders: 1)) }
                due += orders.count
                try take(subject.submit(orders))
                progress(self.orders)
            }
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
            var left = batch.count
            var answered = 0
            while left > 0 {
                let (at, orders) = sent[answered]
                latencies.record(now - at, orders: orders)
                left -= orders
                answered += 1
            }
            sent.removeFirst(answered)
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
