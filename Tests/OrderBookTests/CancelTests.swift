import OrderBook
import Testing

@Test func `a cancel takes what is open`() {
    var fixture = BookFixture()
    fixture.buy(10, at: 10)
    fixture.sell(4, at: 10)
    #expect(fixture.cancel(1) == Outcome(code: .cancelled, dropped: AmountLots(6)))
    let closed = fixture.book.takeJournal().closed
    #expect(closed.map(\.reason) == [.cancelled])
    #expect(closed.map(\.seq) == [Seq(3)])
    #expect(closed.map(\.order.filled) == [AmountLots(4)])
    #expect(closed.map(\.order.dropped) == [AmountLots(6)])
}

@Test func `a cancel of what does not rest says why`() {
    var fixture = BookFixture()
    fixture.buy(10, at: 10)
    fixture.sell(10, at: 10)
    fixture.buy(1, at: 10, .fok)
    #expect(fixture.cancel(99).code == .unknownOrder)
    #expect(fixture.cancel(1).code == .alreadyClosed)
    #expect(fixture.cancel(1, by: "eve").code == .notYours)
    #expect(fixture.cancel(2, by: "bob").code == .alreadyClosed)
    // Refused orders are known, too.
    #expect(fixture.cancel(3).code == .alreadyClosed)
    // The id of a command that placed nothing names no order.
    #expect(fixture.cancel(4).code == .unknownOrder)
}

@Test func `somebody else may not cancel`() {
    var fixture = BookFixture()
    fixture.buy(10, at: 10)
    #expect(fixture.cancel(1, by: "eve").code == .notYours)
    #expect(fixture.queue(.bid) == [[1, 10, 10]])
}

private let selections: [(CancelAll, [Int64], Int64)] = [
    (CancelAll(owner: UserID("ann")), [2, 1, 5], 6),
    (CancelAll(owner: UserID("ann"), side: .bid), [2, 1], 3),
    (CancelAll(owner: UserID("bob"), side: .ask), [4], 8),
    (CancelAll(owner: nil), [2, 3, 1, 5, 4], 18),
    (CancelAll(owner: nil, side: .ask), [5, 4], 11),
    (CancelAll(owner: UserID("nobody")), [], 0),
]

@Test(arguments: selections)
func `a cancel-all takes bids before asks, best first`(selection: CancelAll, cancelled: [Int64], dropped: Int64) {
    var fixture = BookFixture()
    fixture.buy(1, at: 9)
    fixture.buy(2, at: 10)
    fixture.buy(4, at: 10, by: "bob")
    fixture.sell(8, at: 12)
    fixture.sell(3, at: 11, by: "ann")
    let outcome = fixture.execute(.cancelAll(selection))
    #expect(outcome == Outcome(code: .done, dropped: AmountLots(dropped)))
    #expect(fixture.book.takeJournal().closed.map { Int64($0.order.id.low) } == cancelled)
    #expect(fixture.book.orderCount == 5 - cancelled.count)
}

@Test func `a cancel-all of more than 64 bits says the greatest amount`() {
    var fixture = BookFixture()
    fixture.buy(.max, at: 9)
    fixture.buy(.max, at: 9)
    #expect(fixture.execute(.cancelAll(CancelAll(owner: UserID("ann")))).dropped == AmountLots(.max))
}

@Test func `gtd orders expire before the first command at or after their time, by time and then by id`() {
    var fixture = BookFixture()
    fixture.sell(1, at: 10, .gtd(20))
    fixture.sell(2, at: 10, .gtd(10))
    fixture.sell(3, at: 10, .gtd(20))
    fixture.sell(4, at: 10, .gtd(21))
    fixture.time = 9
    fixture.execute(.expire)
    #expect(fixture.book.takeJournal().closed.isEmpty)
    fixture.time = 20
    // None of those that are due is there to trade with.
    fixture.buy(4, at: 10)
    let journal = fixture.book.takeJournal()
    #expect(journal.closed.map { [Int64($0.order.id.low), $0.seq.rawValue] } == [[2, 6], [1, 6], [3, 6], [4, 6]])
    #expect(journal.closed.map(\.reason) == [.expired, .expired, .expired, .filled])
    #expect(journal.trades.map(\.makerOrder) == [fixture.order(4)])
}
