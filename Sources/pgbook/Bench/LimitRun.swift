import Glibc
import OrderBook
import Store

/// Executes a flow in memory and stores what comes of it by COPY; only the storing is measured.
struct LimitRun {
    private(set) var run: BenchRun
    /// Of the storing alone.
    private(set) var elapsed = Duration.zero
    /// Microseconds, of the storing alone.
    private(set) var clientCPU: Int64 = 0
    private var markets: [LimitMarket]
    private var time: Timestamp

    init(_ flow: any Flow) {
        run = BenchRun(flow)
        markets = (0..<flow.marketCount).map { LimitMarket(number: MarketNumber(rawValue: Int16($0 + 1))) }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        time = Timestamp(Int64(now.tv_sec) * 1_000_000)
    }

    /// - Returns: false at the end of the flow.
    mutating func storeBatch(of size: Int, _ connection: StoreConnection) throws -> Bool {
        guard let orders = try run.nextBatch(of: size) else { return false }
        for order in orders { run.count(execute(order)) }
        let rows = try LimitBatch(markets.indices.compactMap { try markets[$0].takeRows() })
        let begun = ContinuousClock.now
        try store(rows, connection)
        run.latencies.record(ContinuousClock.now - begun, orders: orders.count)
        return true
    }

    /// The candles of minutes that were not over.
    mutating func storeLastCandles(_ connection: StoreConnection) throws {
        try store(LimitBatch(markets.indices.compactMap { markets[$0].takeLastCandle() }), connection)
    }

    /// Orders that rest before the measurement begins: stored, and not measured.
    mutating func load(_ resting: any Flow, _ connection: StoreConnection) throws {
        var resting = BenchRun(resting)
        while let orders = try resting.nextBatch(of: 10_000) {
            for order in orders { _ = execute(order) }
            try connection.copyLimit(LimitBatch(markets.indices.compactMap { try markets[$0].takeRows() }))
        }
    }

    private mutating func store(_ rows: LimitBatch, _ connection: StoreConnection) throws {
        let (begun, cpu) = (ContinuousClock.now, Resources.ownCPU())
        try connection.copyLimit(rows)
        elapsed += ContinuousClock.now - begun
        clientCPU += Resources.ownCPU() - cpu
    }

    private mutating func execute(_ order: FlowOrder) -> FlowResult {
        // At 50,000 orders/s of market time there are about as many minutes as in a run through the exchange.
        time.rawValue += 20
        return markets[order.market].execute(order, at: time)
    }
}

/// A market in memory, and what it did since its rows were taken.
private struct LimitMarket {
    let number: MarketNumber
    private var book = OrderBook(state: MarketState(), completeness: .complete)
    private var commands: [Command] = []
    /// Of the minute that is not over.
    private var candle: Candle?

    init(number: MarketNumber) { self.number = number }

    mutating func execute(_ order: FlowOrder, at time: Timestamp) -> FlowResult {
        let command = Command(
            id: order.id, time: time, market: "BENCH-\(number.rawValue)", user: order.user, origin: "node-1",
            action: order.action)
        commands.append(command)
        let first = book.journal.trades.count
        let outcome = book.execute(command)
        return FlowResult(outcome: outcome, trades: book.journal.trades[first...])
    }

    /// Nil if nothing happened.
    mutating func takeRows() throws(Overflow) -> LimitRows? {
        guard !commands.isEmpty else { return nil }
        let journal = book.takeJournal()
        let rows = LimitRows(
            market: number, commands: commands, journal: journal, resting: book.takeChanges().inserted,
            candles: try finishedCandles(journal.trades))
        commands.removeAll(keepingCapacity: true)
        book.forgetClosed()
        return rows
    }

    private mutating func finishedCandles(_ trades: [Trade]) throws(Overflow) -> [Candle] {
        var finished: [Candle] = []
        for next in try Candle.candles(of: trades) {
            if candle?.time == next.time {
                try candle?.append(next)
            } else {
                if let candle { finished.append(candle) }
                candle = next
            }
        }
        return finished
    }

    mutating func takeLastCandle() -> LimitRows? {
        defer { candle = nil }
        return candle.map {
            LimitRows(market: number, commands: [], journal: Journal(), resting: [], candles: [$0])
        }
    }
}
