import OrderBook
import Store

/// What the markets did, as the feed sees it, against what the process's own matcher has told of it: only the rest must
/// be looked up. A value: it decides, and does nothing.
///
/// The feed may be faster than the telling, so that what is not told is doubted for some looks before it is believed.
struct Movements {
    fileprivate struct Market {
        var told = ToldSpans()
        /// Up to here everything was told, or given out to be looked up.
        var settled = Seq(0)
        var seen = Seq(0)
        /// Makers of the trades that the feed saw since.
        var makers: [(seq: Seq, order: OrderID)] = []
        var looksDoubted = 0

        var isUnsettled: Bool { settled < seen }
    }

    /// Looks after which the makers of trades are looked up, and after which it is certain that nobody will tell: a batch
    /// may be on its way to the disk for long.
    fileprivate static let looksBeforeMakers = 3
    fileprivate static let looksBeforeCertain = 50
    /// Makers remembered of a market; with more the doubt ends.
    fileprivate static let makersMax = 20_000

    private var markets: [MarketNumber: Market] = [:]
    /// Whether the last movement was told, of all that were settled.
    private(set) var areTold = false
    /// Whether there is something to decide.
    private(set) var isUnsettled = false

    /// The matcher told what a transaction did.
    mutating func told(_ move: MarketMove) {
        markets[move.market, default: Market()].told.insert(after: move.before, through: move.after)
    }

    /// The feed saw a market at this `seq`, after these trades.
    mutating func seen(_ number: MarketNumber, at seq: Seq, _ trades: [Trade]) {
        var market = markets[number, default: Market()]
        // Trades are read after the head and may be newer.
        market.seen = max(market.seen, seq, trades.last?.seq ?? seq)
        if market.settle() { areTold = true }
        if market.isUnsettled {
            market.makers += trades.lazy.map { (seq: $0.seq, order: $0.makerOrder) }
            isUnsettled = true
        }
        markets[number] = market
    }

    /// What nobody has told of.
    struct Untold: Equatable {
        var makers: [OrderID] = []
        /// Whether others executed something, so that any order may have changed.
        var isCertain = false
    }

    mutating func takeUntold() -> Untold {
        var untold = Untold()
        guard isUnsettled else { return untold }
        isUnsettled = false
        for number in markets.keys where markets[number]!.isUnsettled {
            markets[number]!.takeUntold(&untold)
            if markets[number]!.isUnsettled { isUnsettled = true }
        }
        areTold = !untold.isCertain
        return untold
    }
}

extension Movements.Market {
    /// True if everything seen since was told.
    fileprivate mutating func settle() -> Bool {
        guard isUnsettled, told.covers(after: settled, through: seen) else { return false }
        settled = seen
        makers = []
        looksDoubted = 0
        return true
    }

    fileprivate mutating func takeUntold(_ untold: inout Movements.Untold) {
        guard !settle() else { return }
        looksDoubted += 1
        let isCertain =
            told.isEmpty || looksDoubted > Movements.looksBeforeCertain || makers.count > Movements.makersMax
        guard isCertain || looksDoubted > Movements.looksBeforeMakers else { return }
        untold.makers += makers.filter { !told.contains($0.seq) }.map(\.order)
        makers = []
        guard isCertain else { return }
        untold.isCertain = true
        settled = seen
        looksDoubted = 0
    }
}

/// Ranges of `seq`, the newest of them.
struct ToldSpans {
    private static let spansMax = 16
    private var spans: [(after: Seq, through: Seq)] = []

    var isEmpty: Bool { spans.isEmpty }

    /// They come in rising order.
    mutating func insert(after: Seq, through: Seq) {
        if let last = spans.last, last.through == after {
            spans[spans.count - 1].through = through
        } else {
            spans.append((after, through))
            if spans.count > Self.spansMax { spans.removeFirst() }
        }
    }

    func covers(after: Seq, through: Seq) -> Bool { spans.contains { $0.after <= after && through <= $0.through } }
    func contains(_ seq: Seq) -> Bool { spans.contains { $0.after < seq && seq <= $0.through } }
}
