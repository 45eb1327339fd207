import OrderBook
import Replay

/// A published workload, or its first messages; its reports give a known SHA-256.
struct ConformanceFlow: Flow {
    private var reader: ConformanceReader
    private var mapper: ConformanceMapper
    private var renderer: ConformanceRenderer
    private var left: Int
    private var digest = ReportDigest()
    /// Sent and not yet told of, from `firstWaiting` on: never more than a few batches.
    private var waiting: [ConformanceCommand] = []
    private var firstWaiting = 0
    private var rendered = 0

    init(_ bytes: [UInt8], orders: Int, run: UInt64) {
        reader = ConformanceReader(bytes)
        mapper = ConformanceMapper(run: run)
        renderer = ConformanceRenderer(run: run)
        left = orders
    }

    mutating func next() throws -> FlowOrder? {
        guard left > 0, let message = try reader.next() else { return nil }
        left -= 1
        let command = mapper.command(for: message)
        waiting.append(command)
        return FlowOrder(market: 0, user: recordedUser, id: command.id, action: command.action)
    }

    mutating func executed(_ result: FlowResult) {
        renderer.render(waiting[firstWaiting], result.outcome, trades: result.trades)
        firstWaiting += 1
        if firstWaiting * 2 > waiting.count {
            waiting.removeFirst(firstWaiting)
            firstWaiting = 0
        }
        rendered += 1
        if rendered & 0xfff == 0 { digest.update(renderer.take()) }
    }

    var reportDigest: Digest? {
        var (digest, renderer) = (digest, renderer)
        digest.update(renderer.take())
        return digest.finalize()
    }
}

/// A recorded stream of commands, or its first ones. What is refused before it reaches a book and snapshots are left out.
struct StreamFlow: Flow {
    private var reader: StreamReader
    private var mapper: StreamMapper
    private var left: Int

    init(_ bytes: [UInt8], orders: Int, run: UInt64) {
        reader = StreamReader(bytes)
        mapper = StreamMapper(run: run)
        left = orders
    }

    mutating func next() throws -> FlowOrder? {
        while left > 0, let item = try reader.next() {
            guard case .execute(let command) = mapper.step(for: item) else { continue }
            left -= 1
            return FlowOrder(market: 0, user: recordedUser, id: command.id, action: command.action)
        }
        return nil
    }
}

/// Recordings do not say who gave an order.
private let recordedUser = UserID("recorded")
