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

    private static let looksDoubtedMax = 3
    /// Makers remembered of a market; with more the doubt ends.
    private static let makersMax = 20_000

    private var markets: [MarketNumber: Market] = [:]
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
        market.settle()
        if market.isUnsettled {
            market.makers += trades.lazy.map { (seq: $0.seq, order: $0.makerOrder) }
            isUnsettled = true
        }
        markets[number] = market
    }

    /// The makers that nobody told of; nil if everything was told or is still in doubt.
    mutating func takeUntold() -> [OrderID]? {
        guard isUnsettled else { return nil }
        isUnsettled = false
        var untold: [OrderID]?
        for number in markets.keys where markets[number]!.isUnsettled {
            if let makers = markets[number]!.takeUntold(doubtedMax: Self.looksDoubtedMax, makersMax: Self.makersMax) {
                untold = (untold ?? []) + makers
            } else if markets[number]!.isUnsettled {
                isUnsettled = true
            }
        }
        return untold
    }
}

extension Movements.Market {
    fileprivate mutating func settle() {
        guard isUnsettled, told.covers(after: settled, through: seen) else { return }
        settled = seen
        makers = []
        looksDoubted = 0
    }

    fileprivate mutating func takeUntold(doubtedMax: Int, makersMax: Int) -> [OrderID]? {
        settle()
        guard isUnsettled else { return nil }
        if !told.isEmpty, looksDoubted < doubtedMax, makers.count <= makersMax {
            looksDoubted += 1
            return nil
        }
        defer {
            settled = seen
            makers = []
            looksDoubted = 0
        }
        return makers.filter { !told.contains($0.seq) }.map(\.order)
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
