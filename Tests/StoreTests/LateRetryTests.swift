import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// Whoever asks again gets what it got the first time, whatever has happened to the market since.
@Suite struct LateRetryTests {
    private let database: TestDatabase
    private let node: Connection

    init() throws {
        database = try TestDatabase()
        try database.addMarket("M", tick: "1", lot: "1")
        node = try database.connection(as: .node)
    }

    private func place(_ amount: Int128 = 1, _ timeInForce: TimeInForce = .gtc) throws -> Admission {
        try node.enter([
            Entry(
                user: UserID("ann"), market: "M", clientOrderID: "mine",
                action: .place(
                    PlaceEntry(
                        side: .bid, amount: PostgresNumeric(unscaled: amount, scale: 0),
                        price: PostgresNumeric(unscaled: 100, scale: 0), timeInForce: timeInForce)))
        ])[0]
    }

    private func id(_ admission: Admission) throws -> OrderID {
        guard case .admitted(let id, _) = admission else { throw TestFault("\(admission)") }
        return id
    }

    @Test func `also in a market that was halted since`() throws {
        let first = try id(place())
        try database.connection().execute("UPDATE pgbook_data.market_state SET is_halted = true")
        #expect(try place() == .admitted(first, isRetry: true))
        guard case .refused(let rejection) = try place(2) else {
            throw TestFault("another order was taken for the first")
        }
        #expect(rejection.code == .halted)
    }

    @Test func `also outside a band that was narrowed since`() throws {
        let first = try id(place())
        try database.connection().execute("UPDATE pgbook_data.markets SET min_price = 200")
        #expect(try place() == .admitted(first, isRetry: true))
    }

    @Test func `also after the order's time`() throws {
        let now: Int64 = try node.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").one()
            .decode(at: 0)
        let expires = TimeInForce.gtd(expires: Timestamp(now + 3_000_000))
        let first = try id(place(1, expires))
        // The clock cannot be set forward, but the stamps can.
        try node.execute("SELECT setval('pgbook_data.stamps', $1)", now + 60_000_000)
        #expect(try place(1, expires) == .admitted(first, isRetry: true))
    }

    @Test func `in a transaction that cannot see the first one it fails, and can be tried again`() throws {
        let other = try database.connection(as: .node)
        try other.executeSimple("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM pgbook_data.commands")
        let first = try id(place())
        let entry = Entry(
            user: UserID("ann"), market: "M", clientOrderID: "mine",
            action: .place(
                PlaceEntry(
                    side: .bid, amount: PostgresNumeric(unscaled: 1, scale: 0),
                    price: PostgresNumeric(unscaled: 100, scale: 0))))
        let error = #expect(throws: PostgresError.self) { try other.enter([entry]) }
        #expect(error?.sqlState == .serializationFailure)
        try other.executeSimple("ROLLBACK")
        #expect(try other.enter([entry]) == [.admitted(first, isRetry: true)])
    }
}
