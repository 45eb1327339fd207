import OrderBook
import Store
import Testing
import Wire

@testable import Gateway

@Suite struct OwnOrdersTests {
    private let one = SocketID(shard: 0, number: 1)
    private let two = SocketID(shard: 1, number: 1)
    private let ann = UserID("ann")
    private func id(_ number: UInt64) -> OrderID { OrderID(high: 0, low: number) }

    private func placed(_ number: UInt64, by socket: SocketID, clientOrderID: String? = nil) -> OwnOrders.Entered {
        let order = AddOrder(
            security: "X", side: .bid, execType: .limit, amount: ExactDecimal(5), price: ExactDecimal(1),
            clientOrderID: clientOrderID)
        return .init(id: id(number), socket: socket, user: ann, request: .add(order))
    }

    private func state(
        _ number: UInt64, _ code: OutcomeCode = .open, filled: Int64 = 0, remaining: Int64 = 5,
        closed: CommandState.CloseReason? = nil
    ) -> CommandState {
        CommandState(
            id: id(number), market: MarketNumber(rawValue: 1), code: code, filled: AmountLots(filled),
            remaining: AmountLots(remaining), isResting: remaining > 0, closed: closed)
    }

    /// Looks up what is asked for, as the tables would answer.
    private func look(_ orders: inout OwnOrders, _ tables: [CommandState]) -> [OwnOrders.Event] {
        let ids = orders.nextLookup()
        return orders.found(tables.filter { ids.contains($0.id) }, askedFor: ids)
    }

    @Test func `an order is reported when it is executed, and again only when it changed`() {
        var orders = OwnOrders(lookupMax: 10)
        orders.entered(placed(1, by: one, clientOrderID: "c"))
        #expect(look(&orders, []).isEmpty, "it waits for its turn")
        #expect(look(&orders, [state(1)]) == [.order(one, state(1), clientOrderID: "c")])
        #expect(orders.nextLookup().isEmpty, "nothing points at it")
        orders.wereTraded([id(1), id(99)])
        #expect(look(&orders, [state(1)]).isEmpty, "it did not change after all")
        orders.wereTraded([id(1)])
        let partly = state(1, filled: 2, remaining: 3)
        #expect(look(&orders, [partly]) == [.order(one, partly, clientOrderID: "c")])
        orders.wereTraded([id(1)])
        let filled = state(1, filled: 5, remaining: 0, closed: .filled)
        #expect(look(&orders, [filled]) == [.order(one, filled, clientOrderID: "c")])
        #expect(orders.isEmpty)
    }

    @Test func `what is known of an order when it is entered is told at once, and never again`() {
        var orders = OwnOrders(lookupMax: 10)
        let known = orders.entered(placed(1, by: one, clientOrderID: "c"), state: state(1))
        #expect(known == [.order(one, state(1), clientOrderID: "c")])
        #expect(orders.nextLookup().isEmpty)
        orders.wereTraded([id(1)])
        #expect(look(&orders, [state(1)]).isEmpty)
        let filled = state(2, .filled, filled: 5, remaining: 0)
        #expect(orders.entered(placed(2, by: two), state: filled) == [.order(two, filled, clientOrderID: nil)])
        #expect(orders.orderCount(of: two) == 0)
        #expect(orders.orderCount(of: one) == 1)
    }

    @Test func `a cancel that was executed when it was entered is told with the order that it was about`() {
        var orders = OwnOrders(lookupMax: 10)
        _ = orders.entered(placed(1, by: one), state: state(1))
        let cancel = OwnOrders.Entered(id: id(2), socket: two, user: ann, request: .delete(id(1)))
        #expect(orders.entered(cancel, state: state(2, .cancelled, remaining: 0)).isEmpty)
        let gone = state(1, remaining: 0, closed: .cancelled)
        #expect(Set(look(&orders, [gone]).map(\.socket)) == [one, two])
        let late = OwnOrders.Entered(id: id(3), socket: two, user: ann, request: .delete(id(1)))
        let refused = state(3, .alreadyClosed, remaining: 0)
        #expect(orders.entered(late, state: refused) == [.refused(two, refused, target: id(1))])
        #expect(orders.isEmpty)
    }

    @Test func `what the transaction says of other orders is told without a look`() {
        var orders = OwnOrders(lookupMax: 10)
        _ = orders.entered(placed(1, by: one, clientOrderID: "c"), state: state(1))
        let partly = state(1, filled: 2, remaining: 3)
        #expect(orders.changed([partly, state(9)]) == [.order(one, partly, clientOrderID: "c")])
        #expect(orders.changed([partly]).isEmpty)
        let cancel = OwnOrders.Entered(id: id(2), socket: two, user: ann, request: .delete(id(1)))
        _ = orders.entered(cancel, state: state(2, .cancelled, remaining: 0))
        let gone = state(1, filled: 2, remaining: 0, closed: .cancelled)
        #expect(Set(orders.changed([gone]).map(\.socket)) == [one, two])
        #expect(!orders.hasTouched)
        #expect(orders.isEmpty)
    }

    @Test func `a look that began before a change does not take it back`() {
        var orders = OwnOrders(lookupMax: 10)
        _ = orders.entered(placed(1, by: one), state: state(1))
        orders.wereTraded([id(1)])
        let ids = orders.nextLookup()
        let partly = state(1, filled: 2, remaining: 3)
        #expect(orders.changed([partly]).count == 1)
        #expect(orders.found([state(1)], askedFor: ids).isEmpty, "the tables said so before")
        #expect(look(&orders, [partly]).isEmpty, "it is looked at again")
        #expect(orders.nextLookup().isEmpty)
    }

    @Test func `open orders are looked at in turn after the markets moved`() {
        var orders = OwnOrders(lookupMax: 2)
        let states = (1...5).map { state($0) }
        for number in 1...5 { orders.entered(placed(UInt64(number), by: one)) }
        for _ in 0..<3 { _ = look(&orders, states) }
        #expect(!orders.owesSweep)
        orders.oweSweep()
        let sweeps = (0..<3).map { _ in orders.nextSweep() }
        #expect(sweeps.map(\.count) == [2, 2, 1])
        #expect(Set(sweeps.joined()) == Set((1...5).map { id($0) }))
        #expect(!orders.owesSweep)
        #expect(orders.found([state(3, remaining: 0, closed: .expired)], askedFor: [id(3)]).count == 1)
        orders.oweSweep()
        var swept: Set<OrderID> = []
        while orders.owesSweep { swept.formUnion(orders.nextSweep()) }
        #expect(swept == Set([1, 2, 4, 5].map { id($0) }))
    }

    @Test func `orders that are gone do not pile up though nothing is ever swept`() {
        var orders = OwnOrders(lookupMax: 2)
        for number in 1...10_000 as ClosedRange<UInt64> {
            _ = orders.entered(placed(number, by: one), state: state(number))
            if number > 10 { _ = orders.changed([state(number - 10, filled: 5, remaining: 0, closed: .filled)]) }
        }
        #expect(orders.orderCount(of: one) == 10)
        #expect(orders.sweepCount < 50)
    }

    @Test func `many that wait are looked up in turn`() {
        var orders = OwnOrders(lookupMax: 2)
        for number in 1...5 { orders.entered(placed(UInt64(number), by: one)) }
        var seen: Set<OrderID> = []
        for _ in 0..<3 {
            let ids = orders.nextLookup()
            seen.formUnion(ids)
            _ = orders.found([], askedFor: ids)
        }
        #expect(seen.count == 5)
    }

    @Test func `an executed cancel tells the order's socket and whoever cancelled`() {
        var orders = OwnOrders(lookupMax: 10)
        orders.entered(placed(1, by: one))
        _ = look(&orders, [state(1)])
        orders.entered(.init(id: id(2), socket: two, user: ann, request: .delete(id(1))))
        #expect(look(&orders, [state(2, .cancelled, remaining: 0)]).isEmpty)
        #expect(orders.hasTouched)
        let gone = state(1, remaining: 0, closed: .cancelled)
        let events = look(&orders, [gone])
        #expect(Set(events.map(\.socket)) == [one, two])
        #expect(orders.isEmpty)
    }

    @Test func `a refused amend is an error for its socket alone`() {
        var orders = OwnOrders(lookupMax: 10)
        orders.entered(placed(1, by: one))
        _ = look(&orders, [state(1)])
        let amend = AmendOrder(id: id(1), amount: ExactDecimal(9))
        orders.entered(.init(id: id(2), socket: one, user: ann, request: .amend(amend)))
        let refused = state(2, .wouldCross, remaining: 0)
        #expect(look(&orders, [state(1), refused]) == [.refused(one, refused, target: id(1))])
    }

    @Test func `a closed socket is forgotten, and its open orders are given back`() {
        var orders = OwnOrders(lookupMax: 10)
        orders.entered(placed(1, by: one))
        orders.entered(placed(2, by: two))
        _ = look(&orders, [state(1)])
        orders.entered(placed(3, by: one))
        #expect(orders.orderCount(of: one) == 2)
        #expect(Set(orders.socketClosed(one).map(\.id)) == [id(1), id(3)])
        #expect(orders.nextLookup() == [id(2)])
        #expect(orders.socketClosed(one).isEmpty)
        _ = orders.socketClosed(two)
        #expect(orders.isEmpty)
    }

    @Test func `a retry tells whoever asks again, once`() {
        var orders = OwnOrders(lookupMax: 10)
        orders.entered(placed(1, by: one, clientOrderID: "c"))
        _ = look(&orders, [state(1)])
        orders.entered(placed(1, by: one, clientOrderID: "c"))
        #expect(look(&orders, [state(1)]) == [.order(one, state(1), clientOrderID: "c")])
        #expect(look(&orders, [state(1)]).isEmpty)
    }
}
