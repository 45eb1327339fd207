import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// Enters an order under a client order id; gives what the entrance said.
private func enter(_ desk: Desk, _ timeInForce: TimeInForce = .gtc, amount: Int128 = 2) throws -> Admission {
    let place = PlaceEntry(side: .bid, amount: whole(amount), price: whole(100), timeInForce: timeInForce)
    let entry = Entry(
        user: UserID("ann"), market: desk.market.symbol, clientOrderID: "mine", action: .place(place))
    return try desk.connection.enter([entry])[0]
}

private func id(_ admission: Admission) throws -> OrderID {
    switch admission {
    case .admitted(let id, _): return id
    case .refused(let rejection): throw rejection
    }
}

@Test func `a retry returns the original after its order has expired`() throws {
    let desk = try Desk()
    let soon = Timestamp(try desk.number("SELECT (extract(epoch FROM now() + interval '1 hour') * 1e6)::bigint"))
    let first = try id(try enter(desk, .gtd(expires: soon)))
    // An hour later: the order and its retry name a time that has passed.
    try desk.database.connection().execute("UPDATE pgbook_data.commands SET expires = expires - interval '2 hours'")
    let passed = Timestamp(soon.rawValue - 2 * 3_600_000_000)
    #expect(try enter(desk, .gtd(expires: passed)) == .admitted(first, isRetry: true))
}

@Test func `a retry returns the original after its market was halted`() throws {
    let desk = try Desk()
    let first = try id(try enter(desk))
    try desk.enter(.halt)
    try desk.match()
    #expect(try enter(desk) == .admitted(first, isRetry: true))
    guard case .refused(let rejection) = try enter(desk, amount: 3) else {
        Issue.record("another order under the same client order id was admitted")
        return
    }
    #expect(rejection.code == .duplicate)
}

@Test func `an order that came too late is refused, with or without a client order id`() throws {
    let desk = try Desk()
    guard case .refused(let rejection) = try enter(desk, .gtd(expires: Timestamp(1_000_000))) else {
        Issue.record("an order that expired in 1970 was admitted")
        return
    }
    #expect(rejection.code == .expired)
    #expect(rejection.message.contains("1970"))
}
