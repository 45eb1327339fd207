import Postgres
import Store
import TestSupport
import Testing

private let views = [
    "markets", "orders", "commands", "trades", "taker_trades", "book", "candles_1m", "waiting", "agg_book('M')",
    "last_trades('M')",
]
private let tables = [
    "markets", "market_state", "commands", "inbox", "outcomes", "book", "closed", "trades", "candles_1m", "node",
]

@Suite struct RoleTests {
    private let database: TestDatabase

    init() throws {
        database = try TestDatabase()
        try database.addMarket("M")
    }

    private func isRefused(_ statement: String, _ connection: Connection) throws(PostgresError) -> Bool {
        do {
            try connection.execute(statement)
            return false
        } catch {
            guard error.isMissingRight else { throw error }
            return true
        }
    }

    @Test(arguments: [TestServer.Login.reader, .trader, .node]) func `everybody may read every view`(
        login: TestServer.Login
    ) throws {
        let connection = try database.connection(as: login)
        for view in views { try connection.execute("SELECT * FROM pgbook.\(view)") }
    }

    @Test(arguments: [TestServer.Login.reader, .trader])
    func `neither reader nor trader may touch a table or write through a view`(login: TestServer.Login) throws {
        let connection = try database.connection(as: login)
        for table in tables {
            for statement in ["SELECT FROM pgbook_data.\(table)", "DELETE FROM pgbook_data.\(table)"] {
                #expect(try isRefused(statement, connection), "\(statement)")
            }
        }
        for view in views.prefix(8) {
            #expect(throws: PostgresError.self, "\(view)") { try connection.execute("DELETE FROM pgbook.\(view)") }
        }
        for call in [
            "pgbook.add_market('X', 1, 1)", "pgbook.halt_market('M')", "pgbook.resume_market('M')",
            "pgbook_data.stamp(1)", "pgbook_data.acting_user('x')",
        ] {
            #expect(try isRefused("SELECT \(call)", connection), "\(call)")
        }
        for statement in [
            "CREATE TABLE pgbook.x ()", "CREATE TABLE pgbook_data.x ()", "DROP VIEW pgbook.orders",
            "SET ROLE pgbook_owner",
            "SET ROLE pgbook_node", "DELETE FROM pgbook_schema.migrations",
        ] {
            #expect(throws: PostgresError.self, "\(statement)") { try connection.executeSimple(statement) }
        }
    }

    @Test func `a reader may call nothing that gives a command`() throws {
        let reader = try database.connection(as: .reader)
        for call in [
            "place_order('M', 'bid', 1, 100)", "amend_order(gen_random_uuid(), 1)",
            "reduce_order(gen_random_uuid(), 1)",
            "cancel_order(gen_random_uuid())", "cancel_all()",
        ] {
            #expect(try isRefused("SELECT pgbook.\(call)", reader), "\(call)")
        }
    }

    @Test func `a trader acts as itself only, a node for anybody`() throws {
        let trader = try database.connection(as: .trader)
        try trader.execute("SELECT pgbook.place_order('M', 'bid', 1, 100)")
        try trader.execute("SELECT pgbook.place_order('M', 'bid', 1, 100, user_id => session_user)")
        let refused = #expect(throws: PostgresError.self) {
            try trader.execute("SELECT pgbook.place_order('M', 'bid', 1, 100, user_id => 'alice')")
        }
        #expect(refused?.sqlState?.code == "PB118")
        let node = try database.connection(as: .node)
        try node.execute("SELECT pgbook.place_order('M', 'bid', 1, 100, user_id => 'alice')")
        let users = try node.execute("SELECT user_id FROM pgbook.orders ORDER BY id").map {
            try $0.decode(String.self, at: 0)
        }
        #expect(users == ["pgbook_test_trader", "pgbook_test_trader", "alice"])
    }

    @Test func `SET ROLE and a search path of one's own do not make another user`() throws {
        let trader = try database.connection(as: .trader)
        try trader.executeSimple(
            """
            SET ROLE pgbook_trader;
            SET search_path = pg_temp, public;
            CREATE FUNCTION pg_temp.pg_has_role(name, text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
            """)
        #expect(throws: PostgresError.self) {
            try trader.execute("SELECT pgbook.place_order('M', 'bid', 1, 100, user_id => 'alice')")
        }
        try trader.execute("SELECT pgbook.place_order('M', 'bid', 1, 100)")
        let user: String = try trader.execute("SELECT user_id FROM pgbook.orders").one().decode(at: 0)
        #expect(user == "pgbook_test_trader")
    }

    @Test func `a node does not change the log of commands`() throws {
        let node = try database.connection(as: .node)
        try node.execute("SELECT pgbook.place_order('M', 'bid', 1, 100)")
        #expect(try isRefused("UPDATE pgbook_data.commands SET amount = 2", node))
        #expect(try isRefused("DELETE FROM pgbook_data.commands", node))
        #expect(try isRefused("TRUNCATE pgbook_data.commands", node))
    }
}
