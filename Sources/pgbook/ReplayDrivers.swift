import OrderBook
import Replay
import Store

/// A stream of commands (`*.commands.csv`) through the database.
struct StreamDatabaseReplay {
    private var engine: ReplayEngine
    private var reader: StreamReader
    private var mapper: StreamMapper
    private var renderer: StreamRenderer
    private let connection: StoreConnection
    private let market: Market
    private let batchSize: Int
    private(set) var commandCount = 0
    private(set) var tradeCount = 0

    /// - Parameter run: tells replays into one database apart.
    init(
        _ connection: StoreConnection, market: Market, stream: [UInt8], run: UInt64, batchSize: Int,
        entrance: ReplayEntrance
    ) throws {
        engine = try ReplayEngine(
            connection, market: market, user: UserID("replay"), commandsPerBatchMax: batchSize, entrance: entrance)
        reader = StreamReader(stream)
        mapper = StreamMapper(run: run)
        renderer = StreamRenderer(run: run)
        self.connection = connection
        self.market = market
        self.batchSize = batchSize
    }

    var bytesRead: Int { reader.bytesRead }

    /// Runs the stream to its end.
    /// - Parameters:
    ///   - output: given the results as they come.
    ///   - progress: told after each batch.
    mutating func run(output: ([UInt8]) throws -> Void, progress: (Self) -> Void) throws {
        var steps: [StreamStep] = []
        while let item = try reader.next() {
            let step = mapper.step(for: item)
            steps.append(step)
            // A snapshot shows the book after everything before it.
            if case .snapshot = step { try flush(&steps) } else if steps.count >= batchSize { try flush(&steps) }
            try output(renderer.take())
            progress(self)
        }
        try flush(&steps)
        let (bids, asks) = try levels(depth: .max)
        renderer.render(finalBids: bids, asks: asks)
        try output(renderer.take())
    }

    private mutating func flush(_ steps: inout [StreamStep]) throws {
        let commands = steps.compactMap { step in
            if case .execute(let command) = step { (id: command.id, action: command.action) } else { nil }
        }
        let results = try engine.run(commands)
        commandCount += commands.count
        var next = results.makeIterator()
        for step in steps {
            switch step {
            case .execute(let command):
                guard let result = next.next() else { throw ReplayFault.disturbed(market.symbol) }
                tradeCount += result.trades.count
                renderer.render(command, result.outcome, trades: result.trades)
            case .refuse(let number, let refusal):
                renderer.render(refused: number, refusal)
            case .snapshot(let label, let depth):
                let (bids, asks) = try levels(depth: depth)
                renderer.render(snapshot: label, depth: depth, bids: bids, asks: asks)
            }
        }
        steps.removeAll(keepingCapacity: true)
    }

    private func levels(depth: Int) throws -> (bids: [Level], asks: [Level]) {
        let levels = try connection.levels(market, depth: depth)
        return (levels[.bid] ?? [], levels[.ask] ?? [])
    }
}

/// A published workload through the database; gives the reports of all messages.
struct ConformanceDatabaseReplay {
    private var engine: ReplayEngine
    private var reader: ConformanceReader
    private var mapper: ConformanceMapper
    private var renderer: ConformanceRenderer
    private let batchSize: Int
    private(set) var commandCount = 0
    private(set) var tradeCount = 0

    init(
        _ connection: StoreConnection, market: Market, workload: [UInt8], run: UInt64, batchSize: Int,
        entrance: ReplayEntrance
    ) throws {
        engine = try ReplayEngine(
            connection, market: market, user: UserID("replay"), commandsPerBatchMax: batchSize, entrance: entrance)
        reader = ConformanceReader(workload)
        mapper = ConformanceMapper(run: run)
        renderer = ConformanceRenderer(run: run)
        self.batchSize = batchSize
    }

    var bytesRead: Int { reader.bytesRead }

    mutating func run(output: ([UInt8]) throws -> Void, progress: (Self) -> Void) throws {
        var batch: [ConformanceCommand] = []
        while let message = try reader.next() {
            batch.append(mapper.command(for: message))
            guard batch.count >= batchSize else { continue }
            try flush(&batch)
            try output(renderer.take())
            progress(self)
        }
        try flush(&batch)
        try output(renderer.take())
    }

    private mutating func flush(_ batch: inout [ConformanceCommand]) throws {
        let results = try engine.run(batch.map { (id: $0.id, action: $0.action) })
        for (command, result) in zip(batch, results) {
            tradeCount += result.trades.count
            renderer.render(command, result.outcome, trades: result.trades)
        }
        commandCount += batch.count
        batch.removeAll(keepingCapacity: true)
    }
}
