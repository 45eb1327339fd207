import OrderBook
import Store
import TestSupport
import Testing

@testable import MarketData

/// A clock that stands still until the test moves it.
private struct TestInstant: InstantProtocol {
    typealias Duration = Swift.Duration
    var offset: Swift.Duration = .zero
    func advanced(by duration: Swift.Duration) -> Self { Self(offset: offset + duration) }
    func duration(to other: Self) -> Swift.Duration { other.offset - offset }
    static func < (a: Self, b: Self) -> Bool { a.offset < b.offset }
}

@Suite struct MarketTrackerTests {
    private func tracker() throws -> MarketTracker<TestInstant> {
        let database = try TestDatabase()
        try database.addMarket()
        let market = try #require(try database.connection().markets().first)
        return MarketTracker(market: market, bookInterval: .milliseconds(100), recentCount: 3)
    }

    private func head(_ seq: Int64, trades: Int64 = 0, isHalted: Bool = false) -> MarketHead {
        MarketHead(
            market: MarketNumber(rawValue: 1), seq: Seq(seq), tradeID: TradeID(trades), isHalted: isHalted)
    }

    private func at(_ milliseconds: Int) -> TestInstant { TestInstant(offset: .milliseconds(milliseconds)) }

    private func book(_ seq: Int64) -> AggregatedBook { AggregatedBook(seq: Seq(seq), bids: [], asks: []) }

    @Test func `a book is read at once after a quiet interval, and then at the end of each`() throws {
        var tracker = try tracker()
        let news = [tracker.headArrived(head(0)), tracker.headArrived(head(0)), tracker.headArrived(head(1))]
        #expect(news == [true, false, true], "the first head is news, even of an empty market")
        _ = tracker.headArrived(head(0))
        #expect(tracker.bookDecision(now: at(0)) == .readNow)
        tracker.bookReadBegins(now: at(0))
        #expect(tracker.bookArrived(book(0)) == BookSnapshot(book: book(0), prevSeq: Seq(0)))
        #expect(tracker.bookDecision(now: at(1_000)) == .upToDate)

        _ = tracker.headArrived(head(5))
        #expect(tracker.bookDecision(now: at(1_000)) == .readNow)
        tracker.bookReadBegins(now: at(1_000))
        #expect(tracker.bookArrived(book(7)) == BookSnapshot(book: book(7), prevSeq: Seq(0)))
        _ = tracker.headArrived(head(6))
        #expect(tracker.bookDecision(now: at(1_001)) == .upToDate, "the book read was newer than this head")
        _ = tracker.headArrived(head(8))
        #expect(tracker.bookDecision(now: at(1_099)) == .readAt(at(1_100)))
        #expect(tracker.bookDecision(now: at(1_100)) == .readNow)
        tracker.bookReadBegins(now: at(1_100))
        #expect(tracker.bookArrived(book(7)) == nil, "the same book again is no news")
        #expect(tracker.bookArrived(book(8))?.prevSeq == Seq(7))
    }

    @Test func `a market that was set back is read anew`() throws {
        var tracker = try tracker()
        _ = tracker.headArrived(head(9, trades: 2))
        tracker.bookReadBegins(now: at(0))
        _ = tracker.bookArrived(book(9))
        tracker.tradesArrived([])
        #expect(tracker.bookDecision(now: at(1)) == .upToDate)
        let moved = tracker.headArrived(head(7, trades: 2))
        #expect(moved)
        #expect(tracker.bookDecision(now: at(1)) == .readNow)
        #expect(tracker.tradesDecision() == .readLast)
    }

    @Test func `trades are read from the last that is known, and only some are kept`() throws {
        var tracker = try tracker()
        _ = tracker.headArrived(head(1, trades: 2))
        #expect(tracker.tradesDecision() == .readLast)
        tracker.tradesArrived([trade(1), trade(2)])
        #expect(tracker.tradesDecision() == .upToDate)
        _ = tracker.headArrived(head(2, trades: 5))
        #expect(tracker.tradesDecision() == .readAfter(trade(2)))
        tracker.tradesArrived([trade(3), trade(4), trade(5)])
        #expect(tracker.tradesDecision() == .upToDate)
        #expect(tracker.recentTrades.map(\.id.rawValue) == [3, 4, 5])
    }

    @Test func `a market's first trades are read from its beginning`() throws {
        var tracker = try tracker()
        _ = tracker.headArrived(head(0))
        tracker.tradesArrived([])
        _ = tracker.headArrived(head(1, trades: 1))
        #expect(tracker.tradesDecision() == .readAfter(nil))
    }

    private func trade(_ number: Int64) -> Trade {
        Trade(
            id: TradeID(number), seq: Seq(number), time: Timestamp(number), takerOrder: OrderID(high: 0, low: 1),
            makerOrder: OrderID(high: 0, low: 2), takerUser: UserID("t"), makerUser: UserID("m"), takerSide: .bid,
            price: PriceTicks(1), amount: AmountLots(1), bestBid: nil, bestAsk: nil)
    }
}
