import OrderBook
import Testing

/// A bid of ann meets, at one price, an ask of hers (order 1, 5 lots) and then one of bob's (order 2, 5 lots).
private struct SelfTradeCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var options: Options
    var amount: Int64
    var price: Int64? = 10
    var code: OutcomeCode
    var amounts: Amounts
    var asksLeft: [[Int64]]
    var bidLeft: Int64 = 0
}

private let selfTradeCases = [
    SelfTradeCase(
        testDescription: "without prevention a user trades with itself", options: Options(), amount: 7, code: .filled,
        amounts: Amounts(7, 0, 0), asksLeft: [[2, 10, 3]]),
    SelfTradeCase(
        testDescription: "dc takes the smaller amount off both", options: .preventing(.decrementAndCancel), amount: 7,
        code: .dropped, amounts: Amounts(2, 0, 5), asksLeft: [[2, 10, 3]]),
    SelfTradeCase(
        testDescription: "dc leaves the greater one smaller", options: .preventing(.decrementAndCancel), amount: 3,
        code: .dropped, amounts: Amounts(0, 0, 3), asksLeft: [[1, 10, 2], [2, 10, 5]]),
    SelfTradeCase(
        testDescription: "dc lets the rest of the taker rest", options: .preventing(.decrementAndCancel), amount: 12,
        code: .open, amounts: Amounts(5, 2, 5), asksLeft: [], bidLeft: 2),
    SelfTradeCase(
        testDescription: "co cancels the resting order and goes on", options: .preventing(.cancelOldest), amount: 7,
        code: .open, amounts: Amounts(5, 2, 0), asksLeft: [], bidLeft: 2),
    SelfTradeCase(
        testDescription: "cn cancels what is open of the taker", options: .preventing(.cancelNewest), amount: 7,
        code: .dropped, amounts: Amounts(0, 0, 7), asksLeft: [[1, 10, 5], [2, 10, 5]]),
    SelfTradeCase(
        testDescription: "cb cancels both", options: .preventing(.cancelBoth), amount: 7, code: .dropped,
        amounts: Amounts(0, 0, 7), asksLeft: [[2, 10, 5]]),
    SelfTradeCase(
        testDescription: "a fok with co counts what lies behind its own order",
        options: .preventing(.cancelOldest, .fok), amount: 5, code: .filled, amounts: Amounts(5, 0, 0), asksLeft: []),
    SelfTradeCase(
        testDescription: "a fok with co does not count its own order", options: .preventing(.cancelOldest, .fok),
        amount: 6, code: .cannotFill, amounts: Amounts(0, 0, 6), asksLeft: [[1, 10, 5], [2, 10, 5]]),
    SelfTradeCase(
        testDescription: "a fok with dc cannot be filled past its own order",
        options: .preventing(.decrementAndCancel, .fok), amount: 1, code: .cannotFill, amounts: Amounts(0, 0, 1),
        asksLeft: [[1, 10, 5], [2, 10, 5]]),
    SelfTradeCase(
        testDescription: "a fok with cn cannot be filled past its own order",
        options: .preventing(.cancelNewest, .fok), amount: 1, code: .cannotFill, amounts: Amounts(0, 0, 1),
        asksLeft: [[1, 10, 5], [2, 10, 5]]),
    SelfTradeCase(
        testDescription: "a market order that prevention ends is dropped, not refused for want of liquidity",
        options: .preventing(.cancelBoth), amount: 7, price: nil, code: .dropped, amounts: Amounts(0, 0, 7),
        asksLeft: [[2, 10, 5]]),
]

@Test(arguments: selfTradeCases)
private func `a bid that meets an ask of its own user`(row: SelfTradeCase) {
    var fixture = BookFixture()
    fixture.sell(5, at: 10, by: "ann")
    fixture.sell(5, at: 10, by: "bob")
    let outcome = fixture.buy(row.amount, at: row.price, by: "ann", row.options)
    #expect(outcome.code == row.code)
    #expect(Amounts(outcome) == row.amounts)
    #expect(fixture.queue(.ask) == row.asksLeft)
    #expect(fixture.queue(.bid).map { $0[2] } == (row.bidLeft > 0 ? [row.bidLeft] : []))
}

@Test func `a market order that finds only its user's orders cancels them and is dropped`() {
    var fixture = BookFixture()
    fixture.sell(5, at: 10, by: "ann")
    let outcome = fixture.buy(7, at: nil, by: "ann", .preventing(.cancelOldest))
    #expect(outcome == Outcome(code: .dropped, dropped: AmountLots(7)))
    let closed = fixture.book.takeJournal().closed
    #expect(closed.map(\.reason) == [.prevented])
    #expect(closed.map(\.order.dropped) == [AmountLots(5)])
}

@Test func `users are told apart by bytes, not by how they look`() {
    var fixture = BookFixture()
    fixture.sell(5, at: 10, by: "d\u{e9}")
    #expect(fixture.buy(5, at: 10, by: "de\u{301}", .preventing(.cancelBoth)).code == .filled)
    #expect(fixture.cancel(1, by: "de\u{301}").code == .notYours)
}
