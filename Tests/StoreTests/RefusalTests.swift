import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// One statement and the refusal it must meet.
struct RefusalCase: Sendable, CustomTestStringConvertible {
    var statement: String
    var code: OutcomeCode
    var field: String?

    init(_ statement: String, _ code: OutcomeCode, _ field: String?) {
        self.statement = statement
        self.code = code
        self.field = field
    }

    var testDescription: String { statement.count > 80 ? statement.prefix(80) + "…" : statement }
}

/// `$mine`, `$theirs` and `$closing` stand for orders' ids.
private let cases: [RefusalCase] = [
    // place_order
    RefusalCase("place_order('NOPE', 'bid', 1, 100)", .unknownMarket, "security"),
    RefusalCase("place_order(null, 'bid', 1, 100)", .unknownMarket, "security"),
    RefusalCase("place_order('HALTED', 'bid', 1, 100)", .halted, "security"),
    RefusalCase("place_order('M', 'bid', 1, 100.3)", .offTick, "price"),
    RefusalCase("place_order('M', 'bid', 1, 0.25)", .offTick, "price"),
    RefusalCase("place_order('M', 'bid', 0.0005, 100)", .offLot, "amount"),
    RefusalCase("place_order('M', 'bid', 1.00000000000000000001, 100)", .offLot, "amount"),
    RefusalCase("place_order('M', 'bid', 0, 100)", .notPositive, "amount"),
    RefusalCase("place_order('M', 'bid', -1, 100)", .notPositive, "amount"),
    RefusalCase("place_order('M', 'bid', 'NaN', 100)", .notPositive, "amount"),
    RefusalCase("place_order('M', 'bid', '-infinity', 100)", .notPositive, "amount"),
    RefusalCase("place_order('M', 'bid', 1, 0)", .notPositive, "price"),
    RefusalCase("place_order('M', 'bid', 1, -1)", .notPositive, "price"),
    RefusalCase("place_order('M', 'bid', 1, 'NaN')", .notPositive, "price"),
    RefusalCase("place_order('M', 'bid', 1001, 100)", .tooLarge, "amount"),
    RefusalCase("place_order('M', 'bid', 9223372036854775808, 100)", .tooLarge, "amount"),
    RefusalCase("place_order('M', 'bid', 1e400::numeric, 100)", .tooLarge, "amount"),
    RefusalCase("place_order('M', 'bid', 'infinity', 100)", .tooLarge, "amount"),
    RefusalCase("place_order('M', 'bid', 1, 1e400::numeric)", .tooLarge, "price"),
    RefusalCase("place_order('M', 'bid', 1, 'infinity')", .tooLarge, "price"),
    RefusalCase("place_order('M', 'bid', 900, 600)", .tooLarge, "amount"),
    RefusalCase("place_order('M', 'bid', 1, 9)", .outsideBand, "price"),
    RefusalCase("place_order('M', 'bid', 1, 1000.5)", .outsideBand, "price"),
    RefusalCase("place_order('M', 'hold', 1, 100)", .badValue, "side"),
    RefusalCase("place_order('M', null, 1, 100)", .badValue, "side"),
    RefusalCase("place_order('M', 'bid', null, 100)", .badValue, "amount"),
    RefusalCase("place_order('M', 'bid', 1, 100, exec_type => 'stop')", .badValue, "exec_type"),
    RefusalCase("place_order('M', 'bid', 1, 100, exec_type => 'market')", .badValue, "price"),
    RefusalCase("place_order('M', 'bid', 1, exec_type => 'limit')", .badValue, "price"),
    RefusalCase("place_order('M', 'bid', 1, 100, 'limit', 'day')", .badValue, "time_in_force"),
    RefusalCase("place_order('M', 'bid', 1, 100, time_in_force => 'gtd')", .badValue, "expires"),
    RefusalCase("place_order('M', 'bid', 1, 100, expires => now() + '1 h')", .badValue, "expires"),
    RefusalCase("place_order('M', 'bid', 1, 100, time_in_force => 'gtd', expires => 'infinity')", .badValue, "expires"),
    RefusalCase(
        "place_order('M', 'bid', 1, 100, time_in_force => 'gtd', expires => now() - interval '1 s')", .expired,
        "expires"),
    RefusalCase(
        "place_order('M', 'bid', 1, time_in_force => 'gtd', expires => now() + '1 h')", .badValue, "time_in_force"),
    RefusalCase("place_order('M', 'bid', 1, post_only => true)", .badValue, "post_only"),
    RefusalCase("place_order('M', 'bid', 1, 100, time_in_force => 'ioc', post_only => true)", .badValue, "post_only"),
    RefusalCase("place_order('M', 'bid', 1, 100, self_trade_prevention => 'xx')", .badValue, "self_trade_prevention"),
    RefusalCase("place_order('M', 'bid', 1, 100, client_order_id => '')", .badValue, "client_order_id"),
    RefusalCase("place_order('M', 'bid', 1, 100, client_order_id => repeat('x', 65))", .badValue, "client_order_id"),
    RefusalCase("place_order('M', 'bid', 2, 100, client_order_id => 'used')", .duplicate, "client_order_id"),
    RefusalCase("place_order('M', 'bid', 2, 100, id => $mine)", .duplicate, "id"),
    RefusalCase("place_order('M', 'bid', 1, 100, user_id => 'somebody')", .notPermitted, "user_id"),
    // amend_order, reduce_order
    RefusalCase("amend_order(gen_random_uuid(), 1)", .unknownOrder, "id"),
    RefusalCase("amend_order(null, 1)", .unknownOrder, "id"),
    RefusalCase("amend_order($theirs, 1)", .notYours, "id"),
    RefusalCase("amend_order($mine)", .badValue, "amount"),
    RefusalCase("amend_order($mine, 0)", .notPositive, "amount"),
    RefusalCase("amend_order($mine, 0.0001)", .offLot, "amount"),
    RefusalCase("amend_order($mine, 5000)", .tooLarge, "amount"),
    RefusalCase("amend_order($mine, price => 100.1)", .offTick, "price"),
    RefusalCase("amend_order($mine, price => 5)", .outsideBand, "price"),
    RefusalCase("amend_order($closing, 0.5)", .halted, "security"),
    RefusalCase("amend_order($mine, 1, user_id => 'somebody')", .notPermitted, "user_id"),
    RefusalCase("reduce_order(gen_random_uuid(), 1)", .unknownOrder, "id"),
    RefusalCase("reduce_order($mine, null)", .badValue, "amount"),
    RefusalCase("reduce_order($mine, -1)", .notPositive, "amount"),
    RefusalCase("reduce_order($mine, 'NaN')", .notPositive, "amount"),
    // cancel_order, cancel_all
    RefusalCase("cancel_order(gen_random_uuid())", .unknownOrder, "id"),
    RefusalCase("cancel_order(null)", .unknownOrder, "id"),
    RefusalCase("cancel_order($theirs)", .notYours, "id"),
    RefusalCase("cancel_all('NOPE')", .unknownMarket, "security"),
    RefusalCase("cancel_all('M', 'both')", .badValue, "side"),
    RefusalCase("cancel_all(everybody => true)", .notPermitted, "everybody"),
    RefusalCase("cancel_all(user_id => 'somebody')", .notPermitted, "user_id"),
]

@Suite struct RefusalTests {
    private let database: TestDatabase
    private let trader: Connection
    private let ids: [String: String]

    init() throws {
        database = try TestDatabase()
        let node = try database.connection(as: .node)
        for market in ["M", "HALTED"] {
            try node.execute(
                """
                SELECT pgbook.add_market($1, 0.5, 0.001, max_amount => 1000, max_notional => 500000,
                                         min_price => 10, max_price => 1000)
                """, market)
        }
        trader = try database.connection(as: .trader)
        func place(_ connection: Connection, _ arguments: String) throws -> String {
            let id = try connection.execute("SELECT pgbook.place_order(\(arguments))").one()
                .decode(PostgresUUID.self, at: 0)
            return "'\(id)'::uuid"
        }
        ids = [
            "$mine": try place(trader, "'M', 'bid', 1, 100"),
            "$theirs": try place(database.connection(as: .otherTrader), "'M', 'bid', 1, 100"),
            "$closing": try place(trader, "'HALTED', 'bid', 1, 100"),
        ]
        _ = try place(trader, "'M', 'bid', 1, 100, client_order_id => 'used'")
        // As the matcher leaves it after a halt.
        try database.connection().execute(
            "UPDATE pgbook_data.market_state SET is_halted = true FROM pgbook_data.markets m WHERE m.symbol = 'HALTED' AND m.market = market_state.market"
        )
    }

    private func stored() throws -> [Int64] {
        let row = try database.connection().execute(
            """
            SELECT (SELECT count(*) FROM pgbook_data.commands), (SELECT count(*) FROM pgbook_data.inbox),
                   (SELECT count(*) FROM pgbook_data.outcomes)
            """
        ).one()
        return [try row.decode(at: 0), try row.decode(at: 1), try row.decode(at: 2)]
    }

    @Test func `each refusal has its code, a one-line message and the field at fault, and nothing is stored`() throws {
        let before = try stored()
        for refused in cases {
            let call = ids.reduce(refused.statement) { $0.replacing($1.key, with: $1.value) }
            let error = #expect(throws: PostgresError.self, "\(refused.statement)") {
                try trader.execute("SELECT * FROM pgbook.\(call)")
            }
            guard let error else { continue }
            #expect(error.sqlState?.code == "PB\(refused.code.rawValue)", "\(refused.statement): \(error)")
            #expect(error.message.hasPrefix(refused.code.name + ": "), "\(refused.statement): \(error)")
            #expect(error.column == refused.field, "\(refused.statement): \(error)")
            #expect(!error.message.contains("\n") && error.message.utf8.count < 300, "\(refused.statement): \(error)")
        }
        #expect(try stored() == before)
    }

    @Test func `every code that the entrance can give is in the table`() {
        // The others are outcomes: they depend on the book, or on the other nodes of a cluster.
        let later: Set<OutcomeCode> = [
            .noLiquidity, .wouldCross, .cannotFill, .alreadyClosed, .late, .unconfirmed, .notReady, .busy, .unreadable,
            .unexecutable,
        ]
        let given = Set(cases.map(\.code))
        #expect(given == Set(OutcomeCode.allCases.filter(\.isRefusal)).subtracting(later))
    }

    @Test(arguments: OutcomeCode.allCases) func `the database names a code as Swift does`(code: OutcomeCode) throws {
        let name: String? = try database.connection().execute("SELECT pgbook_data.code_name($1)", code.rawValue).one()
            .decode(at: 0)
        #expect(name == code.name)
    }

    @Test func `SQL in a text field is text`() throws {
        let attack = "x'); DROP TABLE pgbook_data.commands; -- \" \\ $1 %s"
        let node = try database.connection(as: .node)
        // Where a text names something, it names nothing.
        for statement in [
            "place_order($1, 'bid', 1, 100)", "place_order('M', $1, 1, 100)", "place_order('M', 'bid', 1, 100, $1)",
            "place_order('M', 'bid', 1, 100, 'limit', $1)",
            "place_order('M', 'bid', 1, 100, self_trade_prevention => $1)", "cancel_all($1)", "cancel_all('M', $1)",
            "halt_market($1)", "resume_market($1)", "add_market($1, 1, 1)",
        ] {
            let error = #expect(throws: PostgresError.self, "\(statement)") {
                try node.execute("SELECT * FROM pgbook.\(statement)", attack)
            }
            #expect(error?.sqlState?.code.hasPrefix("PB") == true, "\(statement): \(error?.description ?? "")")
        }
        #expect(try node.execute("SELECT * FROM pgbook.agg_book($1)", attack).isEmpty)
        #expect(try node.execute("SELECT * FROM pgbook.last_trades($1)", attack).isEmpty)
        // Where a text is a name of the caller's own, it is kept as it is.
        let id: PostgresUUID = try node.execute(
            "SELECT pgbook.place_order('M', 'bid', 1, 100, user_id => $1, client_order_id => $1)", attack
        ).one().decode(at: 0)
        let order = try #require(try node.order(OrderID(id.description)!))
        #expect(order.user.rawValue == attack)
        #expect(order.clientOrderID == attack)
        #expect(try node.order(clientOrderID: attack, user: UserID(attack))?.id == order.id)
    }

    @Test func `a market needs a name, sizes above zero and limits that fit`() throws {
        let node = try database.connection(as: .node)
        for arguments in [
            "'', 1, 1", "null, 1, 1", "'a b', 1, 1", "'-x', 1, 1", "repeat('x', 33), 1, 1", "'ü', 1, 1", "'X', 0, 1",
            "'X', -1, 1", "'X', 1, 0", "'X', 'NaN', 1", "'X', 'infinity', 1", "'X', null, 1", "'X', 1, 1, 0.5",
            "'X', 1, 1, 1e30", "'X', 1, 1, max_notional => -1", "'X', 1, 1, min_price => 10, max_price => 5",
        ] {
            let error = #expect(throws: PostgresError.self, "\(arguments)") {
                try node.execute("SELECT pgbook.add_market(\(arguments))")
            }
            #expect(error?.sqlState?.code == "PB117", "\(arguments): \(error?.description ?? "")")
        }
        let again = #expect(throws: PostgresError.self) { try node.execute("SELECT pgbook.add_market('M', 1, 1)") }
        #expect(again?.sqlState?.code == "PB116")
        #expect(try node.marketRecords().map(\.name) == ["HALTED", "M"])
    }
}
