public import Logging
import OrderBook
public import Store
import Synchronization

/// Follows all markets of a database for any number of readers.
///
/// Reads one row per market to see whether anything changed, then at most one aggregated book per market and interval and
/// the trades since the last; what it finds goes to the sink. The number of clients does not show in the database.
public final class MarketDataFeed: Sendable {
    private let reader: MarketDataReader
    private let sink: any MarketDataSink
    private let limits: MarketDataLimits
    private let logger: Logger
    private let wakes: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation
    private let isHinted = Atomic<Bool>(true)
    private let started = ContinuousClock.now
    /// When heads were last read: milliseconds since `started`, or below zero when they never were.
    private let headsReadMilliseconds = Atomic<Int64>(-1)
    private let unready = Mutex<String?>(nil)

    public init(reader: MarketDataReader, sink: any MarketDataSink, limits: MarketDataLimits, logger: Logger) {
        self.reader = reader
        self.sink = sink
        self.limits = limits
        self.logger = logger
        (wakes, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Something may have changed: look soon.
    public func wake() {
        isHinted.store(true, ordering: .releasing)
        waker.yield()
    }

    /// Whether what the feed knows is as fresh as it promises.
    public var isCurrent: Bool {
        let read = headsReadMilliseconds.load(ordering: .relaxed)
        return read >= 0 && started + .milliseconds(read) + limits.pollInterval * 3 > .now
    }

    /// Why whoever asks should ask another node, in one line; nil where the node is ready.
    public var notReady: String? {
        isCurrent ? unready.withLock { $0 } : "the database cannot be read"
    }

    /// Follows the markets until cancelled. A database that cannot be reached is asked again at each poll.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.tick() }
            var state = FeedState()
            for await _ in wakes {
                do {
                    try await look(&state)
                } catch is CancellationError {
                    break
                } catch {
                    logger.warning("market data cannot be read; it is tried again", metadata: ["error": "\(error)"])
                    isHinted.store(true, ordering: .releasing)
                }
            }
            group.cancelAll()
        }
    }

    /// The fallback for lost notifications, and the clock of the books that wait for their interval.
    private func tick() async {
        while (try? await Task.sleep(for: limits.bookInterval)) != nil { waker.yield() }
    }

    private func look(_ state: inout FeedState) async throws {
        let now = ContinuousClock.now
        if isHinted.exchange(false, ordering: .acquiringAndReleasing) || state.headsReadAt + limits.pollInterval <= now
        {
            state.headsReadAt = now
            try await readHeads(&state)
            headsReadMilliseconds.store((now - started).wholeMilliseconds, ordering: .relaxed)
        }
        if state.readinessReadAt.map({ $0 + limits.pollInterval <= now }) ?? true {
            state.readinessReadAt = now
            noteReadiness(try await reader.notReady())
        }
        // Trades and outcomes are news; nobody should wait for books to hear of them.
        for number in state.active { try await readTrades(&state, number) }
        publish(&state)
        for number in state.active { try await readBook(&state, number, now: now) }
        publish(&state)
        state.active = state.active.filter { state.trackers[$0]?.bookDecision(now: now) != .upToDate }
        // What comes meanwhile is answered together.
        try await Task.sleep(for: sink.isEager ? limits.hintInterval : max(limits.hintInterval, limits.bookInterval))
    }

    private func noteReadiness(_ reason: String?) {
        let before = unready.withLock { unready in
            defer { unready = reason }
            return unready
        }
        // What stands behind a colon may change all the time.
        let isNews =
            (reason == nil) != (before == nil)
            || reason?.split(separator: ":").first != before?.split(separator: ":").first
        if isNews { sink.readinessChanged(notReadyBecause: reason) }
    }

    private func publish(_ state: inout FeedState) {
        guard !state.updates.isEmpty else { return }
        sink.publish(state.updates.values.sorted { $0.market.number < $1.market.number })
        state.updates.removeAll(keepingCapacity: true)
    }

    private func readHeads(_ state: inout FeedState) async throws {
        let heads = try await reader.heads()
        if heads.contains(where: { state.trackers[$0.market] == nil }) {
            for market in try await reader.markets() where state.trackers[market.number] == nil {
                state.trackers[market.number] = MarketTracker(
                    market: market, bookInterval: limits.bookInterval, recentCount: limits.recentTrades)
            }
        }
        for head in heads where state.trackers[head.market]?.headArrived(head) == true {
            state.active.insert(head.market)
            state.touch(head.market)
        }
    }

    private func readTrades(_ state: inout FeedState, _ number: MarketNumber) async throws {
        while let tracker = state.trackers[number] {
            let trades: [Trade]
            switch tracker.tradesDecision() {
            case .upToDate: return
            case .readLast:
                // These are history, not news.
                trades = try await reader.lastTrades(number, count: limits.recentTrades)
                state.trackers[number]?.tradesArrived(trades)
                state.touch(number)
                continue
            case .readAfter(let last):
                trades = try await reader.trades(number, after: last, limit: limits.tradesPerQuery)
            }
            guard !trades.isEmpty else { return }
            state.trackers[number]?.tradesArrived(trades)
            state.touch(number)
            state.updates[number]?.trades += trades
        }
    }

    private func readBook(
        _ state: inout FeedState, _ number: MarketNumber, now: ContinuousClock.Instant
    ) async throws {
        guard state.trackers[number]?.bookDecision(now: now) == .readNow else { return }
        state.trackers[number]?.bookReadBegins(now: now)
        let book = try await reader.book(number, depth: limits.bookDepth)
        guard let snapshot = state.trackers[number]?.bookArrived(book) else { return }
        state.touch(number)
        state.updates[number]?.book = snapshot
    }
}

/// What one look needs and leaves for the next.
private struct FeedState {
    var trackers: [MarketNumber: MarketTracker<ContinuousClock.Instant>] = [:]
    /// Markets with something to read, now or when their interval has passed.
    var active: Set<MarketNumber> = []
    var updates: [MarketNumber: MarketUpdate] = [:]
    var headsReadAt = ContinuousClock.now
    var readinessReadAt: ContinuousClock.Instant?

    /// Makes sure that the market has an update, and that it shows what is known by now.
    mutating func touch(_ number: MarketNumber) {
        guard let tracker = trackers[number] else { return }
        updates[number] = MarketUpdate(
            market: tracker.market, isHalted: tracker.isHalted, book: updates[number]?.book,
            trades: updates[number]?.trades ?? [], recentTrades: tracker.recentTrades, seq: tracker.seq)
    }
}

extension Duration {
    fileprivate var wholeMilliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
