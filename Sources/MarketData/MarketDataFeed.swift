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
    /// When the database answered last: milliseconds since `started`.
    private let answeredMilliseconds = Atomic<Int64>(-1)
    private let told = Mutex(Told())

    /// What the last reads gave.
    private struct Told {
        /// Why nothing could be read, the last time it was tried.
        var failure: String? = "the database was not read yet"
        var readiness = StoredReadiness()
        /// Markets that cannot be shown as they are.
        var faults: [MarketNumber: String] = [:]
    }

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

    /// Why what the feed knows is not as fresh as it promises, in one line; nil where it is.
    public var notCurrent: String? {
        if let failure = told.withLock({ $0.failure }) { return "the database cannot be read: \(failure)" }
        guard isYounger(answeredMilliseconds, than: limits.pollInterval * 2) else {
            return "the database cannot be read: it does not answer"
        }
        return isYounger(headsReadMilliseconds, than: limits.pollInterval * 3)
            ? nil : "the database cannot be read: reading takes longer than what is read stays true"
    }

    private func isYounger(_ moment: borrowing Atomic<Int64>, than age: Duration) -> Bool {
        let milliseconds = moment.load(ordering: .relaxed)
        return milliseconds >= 0 && started + .milliseconds(milliseconds) + age > .now
    }

    /// The database has just answered.
    private func noteAnswer() {
        answeredMilliseconds.store((ContinuousClock.now - started).wholeMilliseconds, ordering: .relaxed)
    }

    /// What the tables say of whether orders would be taken and executed.
    public var readiness: StoredReadiness { told.withLock { $0.readiness } }

    /// What does not keep the node from being ready, one line each.
    public var warnings: [String] {
        told.withLock { told in
            told.readiness.warnings + told.faults.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    /// Follows the markets until cancelled. A database that cannot be reached is asked again at each poll.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.tick() }
            var state = FeedState()
            for await _ in wakes {
                do {
                    try await look(&state)
                    told.withLock { $0.failure = nil }
                } catch is CancellationError {
                    break
                } catch {
                    told.withLock { $0.failure = "\(error)" }
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
        let pollInterval = state.isDeaf ? min(limits.bookInterval, limits.pollInterval) : limits.pollInterval
        if isHinted.exchange(false, ordering: .acquiringAndReleasing) || state.headsReadAt + pollInterval <= now {
            state.headsReadAt = now
            try await readHeads(&state)
            noteAnswer()
            headsReadMilliseconds.store((now - started).wholeMilliseconds, ordering: .relaxed)
        }
        if state.readinessReadAt.map({ $0 + limits.readinessInterval <= now }) ?? true {
            state.readinessReadAt = now
            let readiness = try await reader.readiness()
            noteAnswer()
            told.withLock { $0.readiness = readiness }
            state.isDeaf = try await reader.isDeaf()
        }
        // Trades and outcomes are news; nobody should wait for books to hear of them.
        for number in state.active { try await alone(&state, number) { try await readTrades(&$0, number) } }
        publish(&state)
        for number in state.active { try await alone(&state, number) { try await readBook(&$0, number, now: now) } }
        publish(&state)
        state.active = state.active.filter { state.trackers[$0]?.bookDecision(now: now) != .upToDate }
        // What comes meanwhile is answered together.
        try await Task.sleep(for: sink.isEager ? limits.hintInterval : max(limits.hintInterval, limits.bookInterval))
    }

    /// Reads something of one market. Where that market's rows cannot be read the others go on; it is tried again when it
    /// moves.
    private func alone(
        _ state: inout FeedState, _ number: MarketNumber, _ body: (inout FeedState) async throws -> Void
    ) async throws {
        do {
            try await body(&state)
            noteAnswer()
            if told.withLock({ $0.faults.removeValue(forKey: number) }) != nil { logger.info("a market can be read again") }
        } catch {
            guard isFaultOfRows(error) else { throw error }
            state.active.remove(number)
            let symbol = state.trackers[number]?.market.symbol ?? "\(number.rawValue)"
            let words = "market \(symbol) cannot be shown as it is: \(error)"
            let before = told.withLock { $0.faults.updateValue(words, forKey: number) }
            if before != words {
                logger.error("a market cannot be read", metadata: ["market": "\(symbol)", "error": "\(error)"])
            }
        }
    }

    private func publish(_ state: inout FeedState) {
        guard !state.updates.isEmpty else { return }
        sink.publish(state.updates.values.sorted { $0.market.number < $1.market.number })
        state.updates.removeAll(keepingCapacity: true)
    }

    private func readHeads(_ state: inout FeedState) async throws {
        let heads = try await reader.heads()
        let isUnknown = heads.contains { state.trackers[$0.market] == nil && !state.unreadable.contains($0.market) }
        if isUnknown || !state.unreadable.isEmpty && state.marketsReadAt + limits.pollInterval <= .now {
            state.marketsReadAt = .now
            let list = try await reader.markets()
            state.unreadable = Set(list.unreadable.map(\.number))
            for market in list.markets where state.trackers[market.number] == nil {
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
        let begun = ContinuousClock.now
        let book = try await reader.book(number, depth: limits.bookDepth)
        state.trackers[number]?.bookReadTook(ContinuousClock.now - begun)
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
    /// Markets without a tracker, because their rows cannot be read.
    var unreadable: Set<MarketNumber> = []
    var marketsReadAt = ContinuousClock.now
    /// Nobody is notified of anything now.
    var isDeaf = false

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
