import OrderBook
import Postgres
import Store
import TestSupport
import Testing

private func entry(amount: String = "1") -> PlaceEntry {
    PlaceEntry(side: .bid, amount: PostgresNumeric(amount)!, price: PostgresNumeric("100")!)
}

@Suite struct RetryTests {
    private let database: TestDatabase
    private let trader: Connection

    init() throws {
        database = try TestDatabase()
        try database.addMarket("M")
        trader = try database.connection(as: .trader)
    }

    private func commandCount() throws -> Int64 {
        try database.connection().execute("SELECT count(*) FROM pgbook_data.commands").one().decode(at: 0)
    }

    @Test func `a retry with the same client order id returns the first order`() throws {
        let first = try trader.placeOrder(entry(), market: "M", clientOrderID: "mine").get()
        #expect(try trader.placeOrder(entry(), market: "M", clientOrderID: "mine").get() == first)
        // The same amount in other digits is the same order.
        #expect(try trader.placeOrder(entry(amount: "1.000"), market: "M", clientOrderID: "mine").get() == first)
        #expect(try commandCount() == 1)
    }

    @Test func `the same client order id of another user is another order`() throws {
        let first = try trader.placeOrder(entry(), market: "M", clientOrderID: "mine").get()
        let other = try database.connection(as: .otherTrader)
        #expect(try other.placeOrder(entry(), market: "M", clientOrderID: "mine").get() != first)
        #expect(try commandCount() == 2)
    }

    @Test func `a retry with the caller's own id returns it`() throws {
        let id = try #require(OrderID("0197c1d8-5a00-7000-8000-000000000001"))
        #expect(try trader.placeOrder(entry(), market: "M", id: id).get() == id)
        #expect(try trader.placeOrder(entry(), market: "M", id: id).get() == id)
        let refused = try trader.placeOrder(entry(amount: "2"), market: "M", id: id)
        #expect(throws: Rejection.self) { try refused.get() }
        #expect(try commandCount() == 1)
    }

    @Test func `retries that race store one order`() async throws {
        let sessions = try (0..<8).map { _ in try database.session(as: .trader) }
        let ids = try await withThrowingTaskGroup(of: OrderID.self) { group in
            for session in sessions {
                group.addTask {
                    try await session.run { try $0.placeOrder(entry(), market: "M", clientOrderID: "race").get() }
                }
            }
            return try await group.reduce(into: Set<OrderID>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(try commandCount() == 1)
    }

    @Test func `a retry of an amend or cancel by client order id is one command`() throws {
        let order = try trader.placeOrder(entry(), market: "M").get()
        let amend = try trader.amendOrder(order, amount: PostgresNumeric("0.5"), price: nil, clientOrderID: "a").get()
        #expect(
            try trader.amendOrder(order, amount: PostgresNumeric("0.5"), price: nil, clientOrderID: "a").get() == amend)
        let cancel = try trader.cancelOrder(order, clientOrderID: "c").get()
        #expect(try trader.cancelOrder(order, clientOrderID: "c").get() == cancel)
        #expect(try commandCount() == 3)
    }

    @Test func `an aborted transaction leaves no order, and its client order id is free`() throws {
        struct Abort: Error {}
        #expect(throws: Abort.self) {
            try trader.transaction { connection in
                _ = try connection.placeOrder(entry(), market: "M", clientOrderID: "mine").get()
                throw Abort()
            }
        }
        #expect(try commandCount() == 0)
        _ = try trader.placeOrder(entry(amount: "2"), market: "M", clientOrderID: "mine").get()
        #expect(try commandCount() == 1)
    }
}
