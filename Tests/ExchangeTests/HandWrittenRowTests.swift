import Exchange
import Foundation
import Logging
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

private let least = "-9223372036854775808"
private let greatest = "9223372036854775807"
private let late = "'294247-01-10 04:00:54.775806+00'"
private let early = "'4713-01-01 00:00:00+00 BC'"

/// Columns of the tables that hold no bounds themselves, and what nobody but a person at a prompt writes there.
private let extremes: [(table: String, columns: [String], values: [String])] = [
    ("market_state", ["clock", "closed_through"], [late, early, "'infinity'"]),
    ("market_state", ["seq", "trade_id", "last_price"], [greatest, least, "0"]),
    ("book", ["price", "priority"], [greatest]), ("book", ["priority"], [least]),
    ("book", ["amount"], [greatest]), ("book", ["side", "stp"], ["7", "-1"]), ("book", ["expires"], [late, early]),
    ("book", ["notional"], ["'NaN'", "1e100", "-1", "99999999999999999999999999999999999999"]),
    ("book", ["user_id"], ["''", "repeat('x', 100000)"]),
    ("candles_1m", ["volume", "notional"], ["'NaN'", "1e100", "-1", "99999999999999999999999999999999999999"]),
    ("candles_1m", ["trades", "high", "close", "last_trade_id"], [greatest, least]),
    ("trades", ["price", "amount", "trade_id"], [greatest]),
    ("outcomes", ["seq", "filled"], [greatest, least]), ("outcomes", ["notional"], ["'NaN'", "1e100"]),
    ("closed", ["price", "amount", "filled"], [greatest, least]), ("closed", ["reason"], ["9"]),
    ("commands", ["amount", "price"], [greatest, least, "0"]), ("commands", ["time"], [late, early]),
    ("commands", ["user_id", "client_order_id"], ["''", "repeat('x', 100000)"]),
]

private struct HandWritten: CustomTestStringConvertible {
    var table: String
    var column: String
    var value: String
    var testDescription: String { "\(table).\(column) = \(value)" }

    static let all = extremes.flatMap { part in
        part.columns.flatMap { column in
            part.values.map { HandWritten(table: part.table, column: column, value: $0) }
        }
    }
}

/// The tables that every order is written into have no constraints: what stands in them beyond the bounds was written by
/// hand. It ends no process, and stops no other market.
@Suite struct HandWrittenRowTests {
    private func entry(_ side: Side, _ market: String, user: String = "ann") -> Entry {
        Entry(
            user: UserID(user), market: market,
            action: .place(PlaceEntry(side: side, amount: whole(1), price: whole(100))))
    }

    @Test(arguments: HandWritten.all)
    private func `what was written by hand ends no process and stops no other market`(row: HandWritten) async throws {
        let desk = try Desk()
        try desk.database.addMarket("OTHER", tick: "1", lot: "1")
        // A maker that is left, one that is closed, a trade and its candle; in the log as well as in the tables.
        for _ in 0..<2 { _ = try desk.place(.ask, 1, at: 100, user: "bob") }
        _ = try desk.place(.bid, 1, at: 100)
        _ = try desk.match()
        let owner = try desk.database.connection()
        try owner.executeSimple("SET session_replication_role = replica")
        do {
            try owner.executeSimple("UPDATE pgbook_data.\(row.table) SET \(row.column) = \(row.value) WHERE market = 1")
        } catch {
            // Kept out by something else: no text holds that, no chunk, no index.
            return
        }
        // By the direct road.
        let exchange = try DirectExchange(try desk.database.connection(as: .node))
        for entries in [[entry(.bid, "TEST")], [entry(.bid, "TEST"), entry(.ask, "OTHER", user: "bob")]] {
            let batches = exchange.submit(entries) + exchange.finish()
            #expect(batches.count == 1)
        }
        let done = try (exchange.submit([entry(.bid, "OTHER")]) + exchange.finish()).flatMap { try $0.results }
        #expect(done.first?.execution != nil, "\(row): \(done)")
        // By the inbox.
        let matcher = Matcher(.init(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let database = try desk.database.configuration(as: .node)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await matcher.run(database: database) }
            _ = try? desk.place(.bid, 1, at: 100)
            let id: String = try desk.connection.execute(
                "SELECT pgbook.place_order('OTHER', 'ask', 1, 200, user_id => 'bob')::text"
            ).one().decode(at: 0)
            try await eventually("the other market goes on beside \(row)", within: .seconds(5)) {
                try owner.execute(
                    "SELECT FROM pgbook_data.outcomes WHERE id = $1::text::uuid", id
                ).count == 1
            }
            group.cancelAll()
        }
        // It may find what it will, or say that it cannot read it.
        for market in try desk.connection.markets() { _ = try? Verification(desk.connection).run(market) }
    }
}
