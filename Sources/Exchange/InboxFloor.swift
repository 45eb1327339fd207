import OrderBook
import Store

/// From where on the inbox is searched.
///
/// What left the inbox stays in its index as long as anybody keeps an old snapshot, and a search from the beginning walks
/// through all of it. So a matcher remembers up to where it has seen the inbox empty. A command may show up below: its
/// transaction was given a stamp, and commits later. Transactions have numbers before they have stamps; so once every
/// transaction has ended that had a number at some moment, nothing comes below the last stamp of that moment. Those that
/// do not end are remembered: when one does, the inbox is searched from the beginning, once.
struct InboxFloor {
    private struct Candidate {
        var time: Timestamp
        var transaction: UInt64
        var at: ContinuousClock.Instant
    }

    /// How long transactions are awaited before those that are left are remembered, and how many may be.
    private static let patience = Duration.seconds(1)
    private static let stragglersMax = 64
    /// Stamps of one moment may differ so much, in microseconds, where several sessions take them at once.
    private static let slack: Int64 = 1_000_000
    /// The inbox is searched from the beginning so often whatever is believed, and not more often than so many times
    /// what that takes.
    private static let wholeSearchInterval = Duration.seconds(60)
    private static let wholeSearchCost = 50

    /// Nothing waits at or below, but in markets that are behind.
    private var time = Timestamp(Int64.min)
    private var behind: Set<MarketNumber> = []
    private var candidate: Candidate?
    /// Transactions that may still bring commands stamped at or below.
    private var stragglers: Set<UInt64> = []
    /// A transaction has ended that may have brought one.
    private var mustSearchAll = true
    private var nextWholeSearch = ContinuousClock.now

    /// Where the next look begins.
    mutating func search() -> InboxSearch {
        let now = ContinuousClock.now
        let isWhole =
            time == Timestamp(Int64.min)
            || (now >= nextWholeSearch && (mustSearchAll || now >= nextWholeSearch + Self.wholeSearchInterval))
        return isWhole ? .everything : InboxSearch(after: time, behind: behind)
    }

    /// How long until the next look, at the most.
    var pause: Duration? {
        mustSearchAll && time != Timestamp(Int64.min) ? max(.zero, nextWholeSearch - .now) : nil
    }

    /// Where a market's commands begin.
    func floor(of market: MarketNumber) -> Timestamp { behind.contains(market) ? Timestamp(Int64.min) : time }

    /// Takes in what a look found.
    /// - Parameter cost: how long it took.
    mutating func looked(_ search: InboxSearch, found due: DueMarkets, cost: Duration) {
        // In a cluster commands come with stamps of other nodes.
        guard due.cluster == nil, let snapshot = due.snapshot else {
            self = InboxFloor()
            return
        }
        if search == .everything, time != Timestamp(Int64.min) {
            mustSearchAll = false
            nextWholeSearch = .now + cost * Self.wholeSearchCost
        }
        let waiting = { (limit: Timestamp) in
            Set(due.markets.filter { $0.oldestWaiting.map { $0 <= limit } ?? false }.map(\.market))
        }
        let ended = stragglers.filter { !snapshot.isRunning($0) }
        if !ended.isEmpty {
            stragglers.subtract(ended)
            mustSearchAll = true
        }
        if let candidate, isReached(candidate, snapshot) {
            stragglers.formUnion(snapshot.running.filter { $0 < candidate.transaction })
            time = max(time, candidate.time)
            self.candidate = nil
        }
        behind = waiting(time)
        if candidate == nil {
            candidate = Candidate(
                time: Timestamp(due.lastStamp.rawValue - Self.slack), transaction: snapshot.next, at: .now)
        }
    }

    private func isReached(_ candidate: Candidate, _ snapshot: TransactionSnapshot) -> Bool {
        if snapshot.oldest >= candidate.transaction { return true }
        guard ContinuousClock.now >= candidate.at + Self.patience else { return false }
        return snapshot.running.count { $0 < candidate.transaction } + stragglers.count <= Self.stragglersMax
    }
}
