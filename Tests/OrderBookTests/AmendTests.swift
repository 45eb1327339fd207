import OrderBook
import Testing

/// Orders 1 (filled 2 of 10, open 8) and 2 (open 5) of ann are bids at 10; bob asks 4 at 12 (order 4). Order 1 is amended.
private struct AmendCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var change: Amend.Change
    var user = "ann"
    var code: OutcomeCode
    var amounts: Amounts
    var bids: [[Int64]]
    /// The total of order 1 afterwards.
    var total: Int64?

    init(
        _ rule: String, _ change: Amend.Change, by user: String = "ann", _ code: OutcomeCode, _ filled: Int64,
        _ remaining: Int64, _ dropped: Int64, bids: [[Int64]], total: Int64? = nil
    ) {
        testDescription = rule
        self.change = change
        self.user = user
        self.code = code
        amounts = Amounts(filled, remaining, dropped)
        self.bids = bids
        self.total = total
    }
}

private func to(_ amount: Int64?, at price: Int64? = nil) -> Amend.Change {
    .to(amount: amount.map { AmountLots($0) }, price: price.map { PriceTicks($0) })
}
private func reduce(_ by: Int64) -> Amend.Change { .reduce(by: AmountLots(by)) }
private func replace(_ open: Int64, at price: Int64) -> Amend.Change {
    .replace(open: AmountLots(open), price: PriceTicks(price))
}
private let untouched: [[Int64]] = [[1, 10, 8], [2, 10, 5]]

private let amendCases = [
    AmendCase(
        "a smaller amount keeps its place", to(6), .amended, 0, 4, 0, bids: [[1, 10, 4], [2, 10, 5]], total: 6),
    AmendCase(
        "a greater amount goes to the back", to(11), .amended, 0, 9, 0, bids: [[2, 10, 5], [1, 10, 9]], total: 11),
    AmendCase(
        "another price goes there", to(nil, at: 11), .amended, 0, 8, 0, bids: [[1, 11, 8], [2, 10, 5]], total: 10),
    AmendCase(
        "a smaller amount at another price goes to the back", to(5, at: 9), .amended, 0, 3, 0,
        bids: [[2, 10, 5], [1, 9, 3]], total: 5),
    AmendCase("no change keeps its place", to(10, at: 10), .amended, 0, 8, 0, bids: untouched, total: 10),
    AmendCase("nothing at all keeps its place", to(nil), .amended, 0, 8, 0, bids: untouched, total: 10),
    AmendCase("a total at what is filled cancels the rest", to(2), .cancelled, 0, 0, 8, bids: [[2, 10, 5]]),
    AmendCase("a total below what is filled cancels the rest", to(1, at: 50), .cancelled, 0, 0, 8, bids: [[2, 10, 5]]),
    AmendCase(
        "a price that crosses trades, and the rest rests", to(nil, at: 12), .amended, 4, 4, 0,
        bids: [[1, 12, 4], [2, 10, 5]], total: 10),
    AmendCase("a price that crosses may fill it", to(5, at: 12), .filled, 3, 0, 0, bids: [[2, 10, 5]]),
    AmendCase("an amount of zero is refused", to(0), .notPositive, 0, 0, 0, bids: untouched, total: 10),
    AmendCase("a price of zero is refused", to(nil, at: 0), .notPositive, 0, 0, 0, bids: untouched, total: 10),
    AmendCase("a reduction keeps its place", reduce(3), .amended, 0, 5, 0, bids: [[1, 10, 5], [2, 10, 5]], total: 7),
    AmendCase("a reduction by all that is open cancels", reduce(8), .cancelled, 0, 0, 8, bids: [[2, 10, 5]]),
    AmendCase("a reduction by more than there is cancels", reduce(.max), .cancelled, 0, 0, 8, bids: [[2, 10, 5]]),
    AmendCase("a reduction by zero is refused", reduce(0), .notPositive, 0, 0, 0, bids: untouched, total: 10),
    AmendCase(
        "a replacement goes to the back, even unchanged", replace(8, at: 10), .amended, 0, 8, 0,
        bids: [[2, 10, 5], [1, 10, 8]], total: 10),
    AmendCase(
        "a replacement may trade", replace(6, at: 12), .amended, 4, 2, 0, bids: [[1, 12, 2], [2, 10, 5]], total: 8),
    AmendCase(
        "a replacement by nothing is refused", replace(0, at: 10), .notPositive, 0, 0, 0, bids: untouched, total: 10),
    AmendCase(
        "a replacement whose total exceeds 64 bits is refused", replace(.max, at: 10), .tooLarge, 0, 0, 0,
        bids: untouched, total: 10),
    AmendCase("somebody else may not amend", to(6), by: "bob", .notYours, 0, 0, 0, bids: untouched, total: 10),
]

@Test(arguments: amendCases)
private func `an amended bid`(row: AmendCase) {
    var fixture = BookFixture()
    fixture.buy(10, at: 10)
    fixture.buy(5, at: 10)
    fixture.sell(2, at: 10)
    fixture.sell(4, at: 12)
    _ = fixture.book.takeJournal()
    let outcome = fixture.amend(1, row.change, by: row.user)
    #expect(outcome.code == row.code)
    #expect(Amounts(outcome) == row.amounts)
    #expect(fixture.queue(.bid) == row.bids)
    #expect(fixture.book[fixture.order(1)]?.amount.rawValue == row.total)
    let journal = fixture.book.takeJournal()
    #expect(journal.trades.allSatisfy { $0.takerOrder == fixture.order(1) && $0.seq == Seq(5) })
    for closed in journal.closed where closed.order.id == fixture.order(1) {
        #expect(closed.order.filled + closed.order.dropped == closed.order.amount)
    }
}

@Test func `a post-only order stays post-only when it is amended`() {
    var fixture = BookFixture()
    fixture.sell(4, at: 12)
    fixture.buy(5, at: 10, .postOnly)
    #expect(fixture.amend(2, to(nil, at: 12)).code == .wouldCross)
    #expect(fixture.queue(.bid) == [[2, 10, 5]])
    #expect(fixture.amend(2, to(nil, at: 11)).code == .amended)
}

@Test func `prevention goes on when an order is amended`() {
    var fixture = BookFixture()
    fixture.sell(4, at: 12, by: "ann")
    fixture.buy(5, at: 10, .preventing(.cancelNewest))
    let outcome = fixture.amend(2, to(nil, at: 12))
    #expect(outcome == Outcome(code: .dropped, dropped: AmountLots(5)))
    #expect(fixture.book.takeJournal().closed.map(\.reason) == [.prevented])
    #expect(fixture.queue(.ask) == [[1, 12, 4]])
}

@Test func `a trade of an amended order records the best price without it`() {
    var fixture = BookFixture()
    fixture.buy(1, at: 7)
    fixture.buy(5, at: 10)
    fixture.sell(4, at: 12)
    fixture.amend(2, to(nil, at: 12))
    #expect(fixture.book.takeJournal().trades.map(\.bestBid) == [PriceTicks(7)])
}

@Test func `an amended gtd order still expires`() {
    var fixture = BookFixture()
    fixture.buy(5, at: 10, .gtd(100))
    fixture.amend(1, to(nil, at: 11))
    fixture.time = 100
    #expect(fixture.amend(1, to(nil, at: 12)).code == .alreadyClosed)
    #expect(fixture.book.takeJournal().closed.map(\.reason) == [.expired])
}

/// Orders come to 20 lots and a value of 100 at most. Order 1 of ann bids 10 at 10, filled 2.
@Test(
    arguments: [
        ("a price alone that makes it worth too much", to(nil, at: 11), .tooLarge),
        ("an amount alone that makes it worth too much", to(11), .tooLarge),
        ("both, worth too much", to(11, at: 10), .tooLarge),
        ("both, worth just enough", to(20, at: 5), .amended),
        ("an amount beyond the largest", to(21, at: 1), .tooLarge),
        ("a replacement that with what is filled is worth too much", replace(9, at: 10), .tooLarge),
        ("a replacement that with what is filled is just enough", replace(8, at: 10), .amended),
        ("a replacement that with what is filled is beyond the largest", replace(19, at: 1), .tooLarge),
        ("a smaller amount", to(9), .amended),
        ("a reduction", reduce(1), .amended),
        ("nothing left open at a price that would be too much", to(2, at: 1_000), .cancelled),
    ] as [(String, Amend.Change, OutcomeCode)])
private func `an amend holds the limits of its market`(rule: String, change: Amend.Change, code: OutcomeCode) {
    var fixture = BookFixture(
        limits: MarketLimits(amountMax: AmountLots(20), notionalMax: Notional(rawValue: 100)))
    fixture.buy(10, at: 10)
    fixture.sell(2, at: 10)
    #expect(fixture.amend(1, change).code == code, "\(rule)")
    if code == .tooLarge { #expect(fixture.queue(.bid) == [[1, 10, 8]], "\(rule)") }
}

@Test(
    arguments: [(20, 5, .open), (21, 1, .tooLarge), (11, 10, .tooLarge), (20, nil, .noLiquidity), (21, nil, .tooLarge)]
        as [(Int64, Int64?, OutcomeCode)])
private func `a place holds the limits of its market`(amount: Int64, price: Int64?, code: OutcomeCode) {
    var fixture = BookFixture(
        limits: MarketLimits(amountMax: AmountLots(20), notionalMax: Notional(rawValue: 100)))
    #expect(fixture.buy(amount, at: price).code == code)
}
