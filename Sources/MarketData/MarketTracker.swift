import OrderBook
import Store

/// What the feed knows of one market, and what it must read next. A value: it decides, and does nothing.
struct MarketTracker<Instant: InstantProtocol> where Instant.Duration == Duration {
    let market: Market
    private(set) var isHalted = false
    private(set) var seq = Seq(0)
    private(set) var tradeID = TradeID(0)
    private(set) var book: AggregatedBook?
    private(set) var recentTrades: [Trade] = []
    private var bookReadAt: Instant?
    /// How long a book that is dear to read is left alone.
    private var bookPause = Duration.zero
    private var isFirst = true
    private let bookInterval: Duration
    private let recentCount: Int

    init(market: Market, bookInterval: Duration, recentCount: Int) {
        self.market = market
        self.bookInterval = bookInterval
        self.recentCount = recentCount
    }

    /// True when anything moved since the head before.
    mutating func headArrived(_ head: MarketHead) -> Bool {
        let moved = head.seq != seq || head.isHalted != isHalted || isFirst
        if head.seq < seq || head.tradeID < tradeID { forget() }
        (seq, tradeID, isHalted) = (head.seq, head.tradeID, head.isHalted)
        isFirst = false
        return moved
    }

    /// A node of a cluster was rebuilt from a peer: what was known may never have been.
    private mutating func forget() {
        book = nil
        bookReadAt = nil
        recentTrades = []
        hasReadTrades = false
    }

    enum BookDecision: Equatable {
        case upToDate
        case readNow
        case readAt(Instant)
    }

    /// Whether a book must be read: never twice in one interval, and never when nothing was executed since.
    func bookDecision(now: Instant) -> BookDecision {
        guard book.map({ $0.seq < seq }) ?? true else { return .upToDate }
        guard let bookReadAt else { return .readNow }
        let due = bookReadAt.advanced(by: max(bookInterval, bookPause))
        return due <= now ? .readNow : .readAt(due)
    }

    mutating func bookReadBegins(now: Instant) { bookReadAt = now }

    /// A book takes long to read while somebody keeps an old snapshot: what left it is walked through. It is read less
    /// often then, so that those who trade do not pay for it.
    mutating func bookReadTook(_ cost: Duration) { bookPause = min(cost * 4, .seconds(2)) }

    /// The chain: each book names the one before it.
    mutating func bookArrived(_ fresh: AggregatedBook) -> BookSnapshot? {
        let older = book
        book = fresh
        guard older?.seq != fresh.seq else { return nil }
        return BookSnapshot(book: fresh, prevSeq: older?.seq ?? fresh.seq)
    }

    enum TradesDecision: Equatable {
        case upToDate
        /// The last few, at the start.
        case readLast
        case readAfter(Trade?)
    }

    private var hasReadTrades = false

    func tradesDecision() -> TradesDecision {
        if !hasReadTrades { return .readLast }
        return (recentTrades.last?.id ?? TradeID(0)) < tradeID ? .readAfter(recentTrades.last) : .upToDate
    }

    mutating func tradesArrived(_ trades: [Trade]) {
        hasReadTrades = true
        recentTrades = Array((recentTrades + trades).suffix(recentCount))
    }
}
