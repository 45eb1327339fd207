import Foundation
import Postgres
import TestSupport
import Testing

private func commandCount(_ database: TestDatabase) throws -> Int {
    try database.connection().execute("SELECT count(*) FROM pgbook_data.commands").one().decode(at: 0)
}

@Suite struct OrderCommandTests {
    @Test func `a value that cannot be is refused with its code, and nothing is stored`() throws {
        let database = try TestDatabase()
        try database.addMarket()
        let unknown = "0197c1d8-5a00-7000-8000-000000000000"
        let table: [([String], String)] = [
            (["place", "buy", "1", "BTC-USD", "--price", "100.3"], "off_tick"),
            (["place", "buy", "0.0005", "BTC-USD", "--price", "100"], "off_lot"),
            (["place", "buy", "0", "BTC-USD", "--price", "100"], "not_positive"),
            (["place", "buy", "--price", "-100", "1", "BTC-USD"], "not_positive"),
            (["place", "buy", "NaN", "BTC-USD", "--price", "100"], "bad_value"),
            (["place", "buy", "1e400", "BTC-USD"], "bad_value"),
            (["place", "buy", "infinity", "BTC-USD"], "bad_value"),
            (["place", "buy", "0.00000000000000000001", "BTC-USD", "--price", "100"], "off_lot"),
            (["place", "buy", "9223372036854775808", "BTC-USD", "--price", "100"], "too_large"),
            (["place", "buy", "1", "BTC-USD", "--price", "9223372036854775808"], "too_large"),
            (["place", "buy", "1", "NO-SUCH", "--price", "100"], "unknown_market"),
            (["place", "buy", "1", "", "--price", "100"], "unknown_market"),
            (["place", "buy", "1", "BTC-USD'; drop table x; --", "--price", "100"], "unknown_market"),
            (["place", "hold", "1", "BTC-USD", "--price", "100"], "bad_value"),
            (["place", "buy", "1", "BTC-USD", "--post-only"], "bad_value"),
            (["place", "buy", "1", "BTC-USD", "--price", "100", "--tif", "gtd"], "bad_value"),
            (["place", "buy", "1", "BTC-USD", "--price", "100", "--expires", "2001-01-01"], "expired"),
            (["place", "buy", "1", "BTC-USD", "--price", "100", "--expires", "2001-02-30"], "bad_value"),
            (["place", "buy", "1", "BTC-USD", "--price", "100", "--stp", "xx"], "bad_value"),
            (["place", "buy", "1", "BTC-USD", "--price", "100", "--client-order-id", ""], "bad_value"),
            (["place", "buy", "1", "BTC-USD", "--price", "100", "--id", "not-a-uuid"], "bad_value"),
            (["cancel", unknown], "unknown_order"),
            (["cancel", "not-a-uuid"], "bad_value"),
            (["amend", unknown, "--amount", "1"], "unknown_order"),
            (["order", unknown], "unknown_order"),
            (["cancel-all", "NO-SUCH"], "unknown_market"),
            (["cancel-all", "--everybody"], "not_permitted"),
            (["place", "buy", "1", "BTC-USD", "--price", "100", "--user", "somebody-else"], "not_permitted"),
            (["market", "halt", "BTC-USD"], "not_permitted"),
            (["market", "add", "X", "--tick", "1", "--lot", "1"], "not_permitted"),
            (["book", "NO-SUCH"], "unknown_market"),
            (["trades", "NO-SUCH"], "unknown_market"),
        ]
        let url = try database.url(as: .trader)
        for (arguments, code) in table {
            let result = try Program.run(arguments + ["--json"], database: url)
            #expect(result.status == 1, "\(arguments): \(result.errors)")
            let error = try result.json(as: [String: [String: String]].self)["error"]
            #expect(error?["code"] == code, "\(arguments): \(result.errors)")
            #expect(result.errors.hasPrefix("pgbook: refused (\(code)): "), "\(arguments): \(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1, "\(arguments): \(result.errors)")
        }
        #expect(try commandCount(database) == 0)
    }

    @Test func `a reader sees everything and may change nothing`() throws {
        let database = try TestDatabase()
        try database.addMarket()
        let url = try database.url(as: .reader)
        for command in [
            ["market", "list"], ["orders"], ["orders", "--all"], ["book"], ["trades"], ["watch", "--frames", "1"],
        ] {
            let result = try Program.run(command, database: url)
            #expect(result.status == 0, "\(command): \(result.errors)")
        }
        let refused = try Program.run(["place", "buy", "1", "BTC-USD", "--price", "100"], database: url)
        #expect(refused.status == 1)
        #expect(refused.errors.contains("not_permitted"))
        #expect(refused.errors.contains("pgbook_trader"))
        #expect(try commandCount(database) == 0)
    }

    @Test func `without a matcher the outcome is not known in time, and the order stands in the log`() throws {
        let database = try TestDatabase()
        try database.addMarket()
        let url = try database.url(as: .trader)
        let order = ["place", "buy", "1", "BTC-USD", "--price", "100"]
        let waited = try Program.run(order + ["--timeout", "50ms"], database: url)
        #expect(waited.status == 4)
        #expect(waited.errors.contains("pgbook doctor"))
        #expect(try commandCount(database) == 1)
        let taken = try Program.run(order + ["--no-wait", "--json"], database: url)
        #expect(taken.status == 0)
        #expect(try taken.json(as: [String: String].self)["id"]?.count == 36)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `a signal ends the waiting, and the order that stands in the log is named`(number: Int32) async throws {
        let database = try TestDatabase()
        try database.addMarket()
        let order = try RunningProgram(["place", "buy", "1", "BTC-USD", "--price", "100"], database: database.url)
        try await eventually("the order is in the log") { try commandCount(database) == 1 }
        order.signal(number)
        let result = try order.result()
        #expect(result.status == 130)
        let id: String = try database.connection().execute("SELECT id::text FROM pgbook.orders").one().decode(at: 0)
        #expect(result.errors.contains("command \(id) is in the log"))
    }

    @Test func `an order waits for its outcome and shows its fills`() async throws {
        let database = try TestDatabase()
        try database.addMarket()
        let trader = try database.url(as: .trader)
        let other = try database.url(as: .otherTrader)
        try await withMatcher(database) {
            let maker = try Program.run(["place", "sell", "2.5", "BTC-USD", "--price", "101.5"], database: trader)
            #expect(maker.status == 0, "\(maker.errors)")
            #expect(maker.output.hasPrefix("open  ask  2.5 @ 101.5 BTC-USD  open 2.5  "), "\(maker.output)")

            let order = ["place", "buy", "4", "BTC-USD", "--price", "102", "--client-order-id", "mine", "--json"]
            let taker = try Program.run(order, database: other)
            #expect(taker.status == 0, "\(taker.errors)")
            let outcome = try taker.json(as: [String: Any].self)
            #expect(outcome["code"] as? String == "open")
            #expect(taker.output.contains("\"filled\":2.5,\"remaining\":1.5,\"dropped\":0,\"avg_price\":101.5"))
            #expect((outcome["fills"] as? [Any])?.count == 1)
            #expect(taker.output.contains("\"amount\":2.5,\"price\":101.5,\"total\":253.75"))

            let again = try Program.run(order, database: other)
            #expect(again.output == taker.output, "a retry tells the first outcome")
            #expect(try commandCount(database) == 2)

            let id = try #require(outcome["id"] as? String)
            let notYours = try Program.run(["cancel", id], database: trader)
            #expect(notYours.status == 1)
            #expect(notYours.errors.contains("not_yours"))
            let amended = try Program.run(["amend", id, "--amount", "3"], database: other)
            #expect(amended.output.hasPrefix("amended  amend 3 BTC-USD  open 0.5"), "\(amended.output)")
            let reduced = try Program.run(["amend", id, "--reduce", "0.1"], database: other)
            #expect(reduced.output.contains("open 0.4"), "\(reduced.output)")
            let cancelled = try Program.run(["cancel", id], database: other)
            #expect(cancelled.output.hasPrefix("cancelled  cancel BTC-USD  dropped 0.4"), "\(cancelled.output)")
            let closed = try Program.run(["cancel", id, "--json"], database: other)
            #expect(closed.status == 1)
            #expect(try closed.json(as: [String: Any].self)["code"] as? String == "already_closed")
        }
    }

    @Test func `each listing is JSON with exact numbers, and a table without escapes`() async throws {
        let database = try TestDatabase()
        try database.addMarket("BTC-USD", tick: "0.00000001", lot: "0.00000001")
        let node = try database.url(as: .node)
        try await withMatcher(database) {
            // A user's name holds nothing of the kind; a client order id is the caller's own.
            let escape = "a\u{1B}[31m\nb"
            for side in ["sell", "buy"] {
                let placed = try Program.run(
                    [
                        "place", side, "0.30000001", "BTC-USD", "--price", "0.10000001", "--client-order-id",
                        escape + side,
                    ], database: node)
                #expect(placed.status == 0, "\(placed.errors)")
            }
            try Program.run(
                ["place", "buy", "7", "BTC-USD", "--price", "0.09", "--client-order-id", escape + "last"],
                database: node
            )
            .requireSuccess()
        }
        let listings = [
            (["market", "list"], "\"last_price\":0.10000001"), (["orders"], "\"amount\":7,\"price\":0.09"),
            (["orders", "--all"], "\"filled\":0.30000001"),
            (["book"], "\"bid\":[{\"price\":0.09,\"amount\":7,\"total\":0.63,\"orders\":1}]"),
            (["trades"], "\"total\":0.0300000040000001"), (["doctor"], "\"is_well\""),
        ]
        for (listing, expected) in listings {
            let json = try Program.run(listing + ["--json"], database: node)
            _ = try json.json(as: Any.self)
            #expect(json.output.contains(expected), "\(listing): \(json.output)")
            let table = try Program.run(listing, database: node)
            #expect(!table.output.contains("\u{1B}"), "\(listing)")
        }
        let order = try Program.run(["orders", "--json", "--all"], database: node).json(as: [[String: Any]].self)
        let id = try #require(order.first?["id"] as? String)
        _ = try Program.run(["order", id, "--json"], database: node).json(as: [String: Any].self)
    }

    @Test func `an order from the command line and one from psql give the same row`() async throws {
        let database = try TestDatabase()
        try database.addMarket()
        let connection = try database.connection(as: .trader)
        try await withMatcher(database) {
            try Program.run(
                ["place", "sell", "1.25", "BTC-USD", "--price", "101.5", "--post-only", "--stp", "cn"],
                database: database.url(as: .trader)
            ).requireSuccess()
            try connection.execute(
                """
                SELECT pgbook.place_order('BTC-USD', 'ask', 1.25, 101.5, post_only => true, self_trade_prevention => 'cn')
                """)
            try await eventually("both are open") {
                try connection.execute("SELECT FROM pgbook.book").count == 2
            }
        }
        let rows = try connection.execute(
            """
            SELECT DISTINCT user_id, type, exec_type, amount, price, security, status, filled, remaining, avg_price, reason,
                   time_in_force, post_only, self_trade_prevention, expires, client_order_id, origin
            FROM pgbook.orders
            """)
        #expect(rows.count == 1)
    }

    @Test func `a halted market refuses orders until it is resumed`() async throws {
        let database = try TestDatabase()
        try database.addMarket()
        let node = try database.url(as: .node)
        try await withMatcher(database) {
            try Program.run(["market", "halt", "BTC-USD"], database: node).requireSuccess()
            let refused = try Program.run(["place", "buy", "1", "BTC-USD", "--price", "1"], database: node)
            #expect(refused.status == 1)
            #expect(refused.errors.contains("refused (halted)"), "\(refused.errors)")
            try Program.run(["market", "resume", "BTC-USD"], database: node).requireSuccess()
            try Program.run(["place", "buy", "1", "BTC-USD", "--price", "1"], database: node).requireSuccess()
            let all = try Program.run(["cancel-all", "--json"], database: node)
            #expect(all.output.contains("\"code\":\"done\""), "\(all.output)")
        }
    }
}

extension Program.Result {
    func requireSuccess() throws { try #require(status == 0, "\(errors)") }
}
