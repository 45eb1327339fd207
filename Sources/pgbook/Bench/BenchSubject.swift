import Exchange
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

/// Entered and executed in one transaction per batch, as the gateway of a node alone does it.
struct DirectSubject: BenchSubject {
    private let exchange: DirectExchange
    private let markets: [Market]

    init(_ connection: StoreConnection, markets: [Market]) throws {
        exchange = try DirectExchange(connection)
        self.markets = markets
    }

    mutating func submit(_ batch: [FlowOrder]) throws -> [[FlowResult]] {
        try results(exchange.submit(batch.map(entry)))
    }

    mutating func finish() throws -> [[FlowResult]] { try results(exchange.finish()) }

    private func entry(_ order: FlowOrder) -> Entry {
        let market = markets[order.market]
        return Entry(
            id: order.id, user: order.user, market: market.symbol, action: market.entryAction(order.action))
    }

    private func results(_ batches: [ExecutedBatch]) throws -> [[FlowResult]] {
        try batches.map { try $0.results.map(result) }
    }

    private func result(_ entry: ExecutedEntry) throws -> FlowResult {
        if let execution = entry.execution { return FlowResult(outcome: execution.outcome, trades: entry.trades) }
        guard case .refused(let rejection) = entry.admission else {
            throw Failure(.refused, "a command of the flow went into the inbox; the flow must name known orders only")
        }
        return FlowResult(outcome: Outcome(code: rejection.code), trades: [])
    }
}
