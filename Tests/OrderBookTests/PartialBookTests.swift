import OrderBook
import Testing

private func row(_ number: UInt64, _ side: Side, _ price: Int64, _ amount: Int64, expires: Int64? = nil) -> RestingOrder
{
    RestingOrder(
        id: OrderID(high: 0, low: number), user: UserID("bob"), side: side, price: PriceTicks(price),
        amount: AmountLots(amount), priority: Seq(Int64(number)), expires: expires.map { Timestamp($0) })
}

/// A partial book at seq 100 whose asks are 11, 12 (loaded) and more beyond.
private func partial(bidsAreComplete: Bool = true) -> BookFixture {
    var fixture = BookFixture(.unloaded, seq: 100)
    fixture.book.load([row(1, .ask, 11, 5), row(2, .ask, 12, 5)], side: .ask, reachesEnd: false)
    if bidsAreComplete { fixture.book.load([], side: .bid, reachesEnd: true) }
    return fixture
}

private struct ShortageCase: CustomTestStringConvertible {
    var testDescription: String
    var action: Command.Action
    var shortage: Side?

    init(_ rule: String, _ action: Command.Action, _ shortage: Side?) {
        testDescription = rule
        self.action = action
        self.shortage = shortage
    }
}

@Test(arguments: [
    ShortageCase("a limit inside the horizon lacks nothing", Options().place(.bid, 99, 11), nil),
    ShortageCase("an amount that is loaded lacks nothing", Options().place(.bid, 10, 50), nil),
    ShortageCase("an amount beyond what is loaded lacks the other side", Options().place(.bid, 11, 50), .ask),
    ShortageCase("a limit at the horizon may meet later orders there", Options().place(.bid, 11, 12), .ask),
    ShortageCase("a market order lacks what it may reach", Options().place(.bid, 11, nil), .ask),
    ShortageCase("a fok lacks what it may count", Options.fok.place(.bid, 11, 50), .ask),
    ShortageCase("a post-only order needs but the best price", Options.postOnly.place(.bid, 99, 50), nil),
    ShortageCase("an order into a complete side lacks nothing", Options().place(.ask, 99, 1), nil),
    ShortageCase("an order that is refused anyway lacks nothing", Options().place(.bid, 0, 50), nil),
    ShortageCase("a cancel lacks nothing", .cancel(OrderID(high: 0, low: 9)), nil),
    ShortageCase("a user's cancel-all needs its orders only", .cancelAll(CancelAll(owner: UserID("bob"))), nil),
    ShortageCase("everybody's cancel-all needs everything", .cancelAll(CancelAll(owner: nil)), .ask),
    ShortageCase(
        "everybody's cancel-all of a complete side lacks nothing", .cancelAll(CancelAll(owner: nil, side: .bid)), nil),
])
private func `a partial book knows what it lacks`(row: ShortageCase) {
    let fixture = partial()
    #expect(fixture.book.shortage(for: fixture.command(200, row.action)) == row.shortage)
}

@Test func `an order that trades needs the best price of its own side`() {
    var fixture = partial(bidsAreComplete: false)
    #expect(fixture.book.shortage(for: fixture.command(200, Options().place(.bid, 1, 11))) == .bid)
    #expect(fixture.book.shortage(for: fixture.command(200, Options().place(.bid, 1, 10))) == nil)
    fixture.book.load([row(3, .bid, 9, 1)], side: .bid, reachesEnd: false)
    #expect(fixture.book.shortage(for: fixture.command(200, Options().place(.bid, 1, 11))) == nil)
}

@Test func `an amended order does not count as the best price of its side`() {
    var fixture = partial(bidsAreComplete: false)
    fixture.book.load([row(3, .bid, 9, 1)], side: .bid, reachesEnd: false)
    let amend = Command.Action.amend(
        Amend(target: OrderID(high: 0, low: 3), change: .to(amount: nil, price: PriceTicks(11))))
    #expect(fixture.book.shortage(for: fixture.command(200, amend, by: "bob")) == .bid)
    #expect(fixture.book.shortage(for: fixture.command(200, amend, by: "eve")) == nil)
}

@Test func `orders that are due do not count`() {
    var fixture = BookFixture(.unloaded)
    fixture.book.load([], side: .bid, reachesEnd: true)
    fixture.book.load([row(1, .ask, 11, 5, expires: 50), row(2, .ask, 12, 5)], side: .ask, reachesEnd: false)
    let place = Options().place(.bid, 10, nil)
    fixture.time = 49
    #expect(fixture.book.shortage(for: fixture.command(200, place)) == nil)
    fixture.time = 50
    #expect(fixture.book.shortage(for: fixture.command(200, place)) == .ask)
}

@Test func `orders placed beyond the horizon do not hide the rows before them`() {
    var fixture = partial()
    fixture.sell(5, at: 20)
    #expect(fixture.book.shortage(for: fixture.command(200, Options().place(.bid, 11, 15))) == .ask)
    fixture.book.load([row(3, .ask, 13, 5), row(4, .ask, 20, 5)], side: .ask, reachesEnd: true)
    #expect(fixture.queue(.ask) == [[1, 11, 5], [2, 12, 5], [3, 13, 5], [4, 20, 5], [101, 20, 5]])
    #expect(fixture.book.shortage(for: fixture.command(200, Options().place(.bid, 11, 15))) == nil)
}

@Test func `a row that is loaded later stands before the orders placed meanwhile`() {
    var fixture = BookFixture(.unloaded, seq: 100)
    fixture.book.load([row(50, .ask, 11, 1)], side: .ask, reachesEnd: false)
    fixture.book.load([], side: .bid, reachesEnd: true)
    // Row 53 is known before its turn.
    fixture.sell(7, at: 12)
    fixture.sell(8, at: 12)
    fixture.book.load(named: [row(53, .ask, 12, 1)])
    fixture.book.load(
        [row(51, .ask, 12, 1), row(52, .ask, 12, 1), row(53, .ask, 12, 9), row(54, .ask, 12, 1)],
        side: .ask, reachesEnd: false)
    #expect(fixture.queue(.ask).map { $0[0] } == [50, 51, 52, 53, 54, 101, 102])
    #expect(fixture.queue(.ask).map { $0[2] } == [1, 1, 1, 1, 1, 7, 8])
    #expect(fixture.book.horizon(of: .ask)?.price == PriceTicks(12))
    #expect(fixture.book.horizon(of: .ask)?.priority == Seq(54))
}

@Test func `a row of an order that closed meanwhile is passed over`() {
    var fixture = partial()
    fixture.book.load(named: [row(3, .ask, 13, 5)])
    #expect(fixture.cancel(3, by: "bob").code == .cancelled)
    fixture.book.load([row(3, .ask, 13, 5)], side: .ask, reachesEnd: true)
    #expect(fixture.book[OrderID(high: 0, low: 3)] == nil)
}

@Test func `what the log tells of closed orders decides the refusal`() {
    var fixture = partial()
    fixture.book.learn(closed: [(OrderID(high: 0, low: 9), UserID("ann")), (OrderID(high: 0, low: 1), UserID("eve"))])
    #expect(fixture.cancel(9).code == .alreadyClosed)
    #expect(fixture.cancel(9, by: "bob").code == .notYours)
    // What rests in the book is not closed, whatever the log says.
    #expect(fixture.cancel(1, by: "bob").code == .cancelled)
    #expect(fixture.cancel(77).code == .unknownOrder)
    fixture.book.forgetClosed()
    #expect(fixture.cancel(9).code == .unknownOrder)
}

@Test func `the best price of a partial book is the best known for certain`() {
    var fixture = BookFixture(.unloaded)
    #expect(fixture.book.bestPrice(.ask) == nil)
    fixture.book.load(named: [row(1, .ask, 11, 5)])
    #expect(fixture.book.bestPrice(.ask) == nil)
    fixture.book.load([row(1, .ask, 11, 5)], side: .ask, reachesEnd: false)
    #expect(fixture.book.bestPrice(.ask) == PriceTicks(11))
    #expect(!fixture.book.isComplete(.ask))
}

@Test func `changes are net`() {
    var fixture = partial()
    fixture.sell(5, at: 20)
    fixture.sell(6, at: 21)
    fixture.sell(7, at: 22)
    fixture.cancel(101, by: "bob")
    // Order 102 comes to rest again, at another place.
    fixture.amend(102, .replace(open: AmountLots(6), price: PriceTicks(19)), by: "bob")
    fixture.buy(7, at: 12)
    let changes = fixture.book.takeChanges()
    #expect(changes.inserted.map { Int64($0.id.low) } == [103, 102])
    #expect(changes.inserted.map(\.priority) == [Seq(103), Seq(105)])
    #expect(changes.updated.map { [Int64($0.id.low), $0.open.rawValue] } == [[2, 3]])
    #expect(changes.deleted == [fixture.order(1)])
    let nothing = fixture.book.takeChanges()
    #expect(nothing.inserted.isEmpty && nothing.updated.isEmpty && nothing.deleted.isEmpty)
}

@Test func `an order that has a row is deleted when it leaves, and updated once`() {
    var fixture = partial()
    fixture.sell(5, at: 20)
    _ = fixture.book.takeChanges()
    fixture.amend(101, .reduce(by: AmountLots(1)), by: "bob")
    fixture.amend(101, .reduce(by: AmountLots(1)), by: "bob")
    #expect(fixture.book.takeChanges().updated.map(\.open) == [AmountLots(3)])
    fixture.amend(101, .to(amount: AmountLots(3), price: nil), by: "bob")
    #expect(fixture.book.takeChanges().updated.isEmpty)
    fixture.cancel(101, by: "bob")
    let changes = fixture.book.takeChanges()
    #expect(changes.deleted == [fixture.order(101)])
    #expect(changes.updated.isEmpty && changes.inserted.isEmpty)
}

@Test func `users without orders are forgotten, and the others keep theirs`() {
    var fixture = BookFixture()
    for user in 0..<3_000 { fixture.buy(1, at: 10, by: "user\(user)") }
    for user in 0..<2_990 { fixture.cancel(UInt64(user + 1), by: "user\(user)") }
    _ = fixture.book.takeChanges()
    fixture.book.forgetClosed()
    #expect(fixture.execute(.cancelAll(CancelAll(owner: UserID("user2995")))).dropped == AmountLots(1))
    #expect(
        fixture.book.orders(.bid).map(\.user.rawValue)
            == [2990, 2991, 2992, 2993, 2994, 2996, 2997, 2998, 2999]
            .map { "user\($0)" })
}
