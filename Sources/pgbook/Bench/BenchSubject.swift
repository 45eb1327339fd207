import OrderBook
import Store

/// What executes the commands of a measurement.
protocol BenchSubject {
    /// Hands over a batch.
    /// - Returns: the results of batches that have become durable, oldest first; maybe of earlier ones than this.
    mutating func submit(_ batch: [FlowOrder]) throws -> [[FlowResult]]
    /// Waits for all that is under way.
    mutating func finish() throws -> [[FlowResult]]
}

/// Through the entrance and matching transactions, one batch after the other.
struct EntranceSubject: BenchSubject {
    private var engines: [ReplayEngine]

    init(_ connection: StoreConnection, markets: [Market], batchMax: Int) throws {
        engines = try markets.map {
            try ReplayEngine(connection, market: $0, user: UserID("bench"), commandsPerBatchMax: batchMax)
        }
    }

    mutating func submit(_ batch: [FlowOrder]) throws -> [[FlowResult]] {
        var results = [FlowResult?](repeating: nil, count: batch.count)
        for market in Set(batch.map(\.market)).sorted() {
            let places = batch.indices.filter { batch[$0].market == market }
            let done = try engines[market].run(places.map { (id: batch[$0].id, action: batch[$0].action) })
            for (place, result) in zip(places, done) {
                results[place] = FlowResult(outcome: result.outcome, trades: result.trades)
            }
        }
        return [results.compactMap { $0 }]
    }

    mutating func finish() -> [[FlowResult]] { [] }
}
