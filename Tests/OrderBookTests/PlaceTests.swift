import OrderBook
import Testing

/// One row per rule: what rests, the order that arrives, and what becomes of it.
private struct PlaceCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// Asks of bob: amount, price.
    var asks: [(Int64, Int64)]
    /// The bid of ann that arrives; no price for a market order.
    var amount: Int64
    var price: Int64?
    var options: Options
    var code: OutcomeCode
    var amounts: Amounts
    var asksLeft: [[Int64]]
}

private func row(
    _ rule: String, asks: [(Int64, Int64)], buy amount: Int64, at price: Int64?, _ code: OutcomeCode,
    _ filled: Int64, _ remaining: Int64, _ dropped: Int64, left: [[Int64]], with options: Options = Options()
) -> PlaceCase {
    PlaceCase(
        testDescription: rule, asks: asks, amount: amount, price: price, options: options, code: code,
        amounts: Amounts(filled, remaining, dropped), asksLeft: left)
}

private let placeCases = [
    row("a limit that meets nothing rests", asks: [(5, 10)], buy: 3, at: 9, .open, 0, 3, 0, left: [[1, 10, 5]]),
    row("a limit at the price trades", asks: [(5, 10)], buy: 3, at: 10, .filled, 3, 0, 0, left: [[1, 10, 2]]),
    row("what a limit does not fill rests", asks: [(5, 10)], buy: 8, at: 11, .open, 5, 3, 0, left: []),
    row(
        "the best price is taken first", asks: [(5, 11), (5, 10)], buy: 7, at: 11, .filled, 7, 0, 0, left: [[1, 11, 3]]),
    row(
        "an earlier maker is filled first", asks: [(5, 10), (5, 10)], buy: 6, at: 10, .filled, 6, 0, 0,
        left: [[2, 10, 4]]),
    row(
        "a market order takes any price", asks: [(5, 10), (5, 900)], buy: 6, at: nil, .filled, 6, 0, 0,
        left: [[2, 900, 4]]),
    row("the rest of a market order is dropped", asks: [(5, 10)], buy: 6, at: nil, .dropped, 5, 0, 1, left: []),
    row("a market order into nothing is refused", asks: [], buy: 6, at: nil, .noLiquidity, 0, 0, 6, left: []),
    row("the rest of an ioc is dropped", asks: [(5, 10)], buy: 6, at: 10, .dropped, 5, 0, 1, left: [], with: .ioc),
    row(
        "an ioc that meets nothing is dropped", asks: [(5, 10)], buy: 6, at: 9, .dropped, 0, 0, 6,
        left: [[1, 10, 5]], with: .ioc),
    row(
        "a fok that fits is filled", asks: [(5, 10), (5, 11)], buy: 10, at: 11, .filled, 10, 0, 0, left: [], with: .fok),
    row(
        "a fok that does not fit is refused", asks: [(5, 10), (5, 11)], buy: 11, at: 11, .cannotFill, 0, 0, 11,
        left: [[1, 10, 5], [2, 11, 5]], with: .fok),
    row(
        "a fok counts nothing beyond its limit", asks: [(5, 10), (5, 11)], buy: 6, at: 10, .cannotFill, 0, 0, 6,
        left: [[1, 10, 5], [2, 11, 5]], with: .fok),
    row(
        "a market order may be fok", asks: [(5, 10), (5, 99)], buy: 10, at: nil, .filled, 10, 0, 0, left: [], with: .fok
    ),
    row(
        "a market fok that does not fit is refused", asks: [(5, 10)], buy: 6, at: nil, .cannotFill, 0, 0, 6,
        left: [[1, 10, 5]], with: .fok),
    row(
        "a post-only order that would trade is refused", asks: [(5, 10)], buy: 6, at: 10, .wouldCross, 0, 0,
        6,
        left: [[1, 10, 5]], with: .postOnly),
    row(
        "a post-only order that would not trade rests", asks: [(5, 10)], buy: 6, at: 9, .open, 0, 6, 0,
        left: [[1, 10, 5]], with: .postOnly),
    row("an amount of zero is refused", asks: [(5, 10)], buy: 0, at: 10, .notPositive, 0, 0, 0, left: [[1, 10, 5]]),
    row("a price of zero is refused", asks: [(5, 10)], buy: 1, at: 0, .notPositive, 0, 0, 1, left: [[1, 10, 5]]),
    row(
        "a gtd time that is here already is refused", asks: [], buy: 1, at: 9, .expired, 0, 0, 1, left: [],
        with: .gtd(1)),
    row("a gtd order rests", asks: [], buy: 1, at: 9, .open, 0, 1, 0, left: [], with: .gtd(2)),
    row(
        "the greatest amounts and prices do not overflow", asks: [(.max, .max), (.max, .max)], buy: .max, at: nil,
        .filled,
        .max, 0, 0, left: [[2, .max, .max]]),
]

@Test(arguments: placeCases)
private func `a bid that arrives`(row: PlaceCase) {
    var fixture = BookFixture()
    for (amount, price) in row.asks { fixture.sell(amount, at: price) }
    let outcome = fixture.buy(row.amount, at: row.price, row.options)
    #expect(outcome.code == row.code)
    #expect(Amounts(outcome) == row.amounts)
    #expect(fixture.queue(.ask) == row.asksLeft)
    #expect(fixture.queue(.bid).map { $0[2] } == (row.amounts.remaining > 0 ? [row.amounts.remaining] : []))
}

@Test func `a trade tells both orders, the maker's price, and the best prices before it`() {
    var fixture = BookFixture()
    fixture.buy(1, at: 8, by: "cy")
    fixture.sell(2, at: 10)
    fixture.sell(2, at: 11)
    _ = fixture.book.takeJournal()
    fixture.time = 77
    let outcome = fixture.buy(3, at: 12)
    #expect(outcome.notional == Notional(rawValue: 31))
    let trades = fixture.book.takeJournal().trades
    #expect(
        trades == [
            Trade(
                id: TradeID(1), seq: Seq(4), time: Timestamp(77), takerOrder: fixture.order(4),
                makerOrder: fixture.order(2), takerUser: UserID("ann"), makerUser: UserID("bob"), takerSide: .bid,
                price: PriceTicks(10), amount: AmountLots(2), bestBid: PriceTicks(8), bestAsk: PriceTicks(10)),
            Trade(
                id: TradeID(2), seq: Seq(4), time: Timestamp(77), takerOrder: fixture.order(4),
                makerOrder: fixture.order(3), takerUser: UserID("ann"), makerUser: UserID("bob"), takerSide: .bid,
                price: PriceTicks(11), amount: AmountLots(1), bestBid: PriceTicks(8), bestAsk: PriceTicks(11)),
        ])
    #expect(fixture.book.state.lastPrice == PriceTicks(11))
}

@Test func `the clock of trades never falls`() {
    var fixture = BookFixture()
    fixture.time = 50
    fixture.sell(1, at: 10)
    fixture.time = 20
    fixture.buy(1, at: 10)
    #expect(fixture.book.takeJournal().trades.map(\.time) == [Timestamp(50)])
}

@Test func `an id that is known is a duplicate`() {
    var fixture = BookFixture()
    fixture.buy(1, at: 10)
    let place = Options().place(.bid, 4, 10)
    #expect(fixture.book.execute(fixture.command(1, place)).code == .duplicate)
    fixture.cancel(1)
    #expect(fixture.book.execute(fixture.command(1, place)).code == .duplicate)
    #expect(fixture.queue(.bid) == [])
}

@Test func `a late command takes a seq and nothing else`() {
    var fixture = BookFixture()
    fixture.sell(5, at: 10)
    fixture.time = 999
    let outcome = fixture.execute(Options().place(.bid, 5, 10), isLate: true)
    #expect(outcome == Outcome(code: .late, dropped: AmountLots(5)))
    #expect(fixture.execute(.cancel(fixture.order(1)), by: "bob", isLate: true) == Outcome(code: .late))
    #expect(fixture.execute(.halt, isLate: true).code == .late)
    #expect(fixture.book.state.seq == Seq(4))
    #expect(fixture.book.state.clock == Timestamp(1))
    #expect(!fixture.book.state.isHalted)
    #expect(fixture.queue(.ask) == [[1, 10, 5]])
    #expect(fixture.cancel(2).code == .alreadyClosed)
}

@Test func `a halted market refuses places and amends and goes on cancelling`() {
    var fixture = BookFixture()
    fixture.buy(5, at: 10)
    fixture.buy(5, at: 9)
    #expect(fixture.execute(.halt).code == .done)
    #expect(fixture.buy(1, at: 8) == Outcome(code: .halted, dropped: AmountLots(1)))
    #expect(fixture.amend(1, .reduce(by: AmountLots(1))).code == .halted)
    #expect(fixture.cancel(1).code == .cancelled)
    #expect(fixture.execute(.cancelAll(CancelAll(owner: UserID("ann")))).dropped == AmountLots(5))
    #expect(fixture.execute(.resume).code == .done)
    #expect(fixture.buy(1, at: 8).code == .open)
}
