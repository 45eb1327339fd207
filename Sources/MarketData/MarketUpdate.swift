public import OrderBook
public import Store

/// What changed in one market since the update before.
public struct MarketUpdate: Sendable {
    public var market: Market
    public var isHalted: Bool
    /// The book, if it was read anew.
    public var book: BookSnapshot?
    /// The trades since the last update, oldest first.
    public var trades: [Trade]
    /// The last trades up to now, oldest first, for whoever comes later.
    public var recentTrades: [Trade]
    /// How far the market was when its head was read; commands up to here are executed.
    public var seq: Seq
}

/// A book that was read, in the chain of those read before it.
public struct BookSnapshot: Hashable, Sendable {
    public var book: AggregatedBook
    /// The `seq` of the book before this one; equal to the book's own for the first.
    public var prevSeq: Seq

    public init(book: AggregatedBook, prevSeq: Seq) {
        self.book = book
        self.prevSeq = prevSeq
    }
}

/// Takes what the feed found. Called from one task, in order; must return soon.
public protocol MarketDataSink: Sendable {
    /// Whether somebody waits for news. Otherwise what is known may be as old as a book's interval.
    var isEager: Bool { get }
    func publish(_ updates: [MarketUpdate])
}
