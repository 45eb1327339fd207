import Postgres
import Store
import TestSupport
import Testing

/// A login's types, tables and views never stand in the place of those that a function means.
@Suite struct AttackTests {
    private let database: TestDatabase

    init() throws {
        database = try TestDatabase()
        let connection = try database.connection()
        try database.addMarket("M", tick: "1", lot: "1")
        try connection.executeSimple(
            """
            INSERT INTO pgbook_data.trades (market, time, trade_id, seq, taker_order, maker_order, taker_user, maker_user,
                                            taker_side, price, amount, best_bid, best_ask)
            SELECT 1, timestamptz '2026-01-05 00:00Z' + n * interval '7 minutes', n, n, gen_random_uuid(), gen_random_uuid(),
                   'ann', 'bob', n % 2, 100 + n % 5, 10, 99, 106
            FROM generate_series(1, 600) n;
            SELECT pgbook_data.recompute_candles(1::smallint, '2026-01-05 00:00Z', '2026-01-09 00:00Z');
            UPDATE pgbook_data.market_state SET trade_id = 600, last_price = 100, clock = '2026-01-08 00:00Z';
            SELECT pgbook_data.close_candles(1::smallint, null);
            """)
    }

    private func callable(by login: TestServer.Login) throws -> [String] {
        try database.connection(as: login).execute(
            """
            SELECT DISTINCT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname IN ('pgbook', 'pgbook_data', 'pgbook_schema') AND has_schema_privilege(n.oid, 'usage') AND has_function_privilege(p.oid, 'execute')
            ORDER BY 1
            """
        ).map { try $0.decode(at: 0) }
    }

    @Test(arguments: [TestServer.Login.reader, .trader], Attack.Shape.allCases)
    fileprivate func `nothing that a login makes runs with the rights of another, whatever it calls or reads`(
        login: TestServer.Login, shape: Attack.Shape
    ) throws {
        let attack = try Attack(database, as: login, shape)
        var statements = try views().map { "SELECT * FROM \($0)" }
        for name in try callable(by: login) {
            let calls = try #require(publicCalls[name], "write calls of \(name) into PublicCalls.swift")
            statements += calls.map { "SELECT \(name.prefix { $0 != "." }).\($0)" }
        }
        #expect(try attack.successes(with: statements) == [])
    }

    private func views() throws -> [String] {
        try database.connection().execute(
            """
            SELECT format('%I.%I', schemaname, viewname) FROM pg_views WHERE schemaname = 'pgbook' ORDER BY 1
            """
        ).map { try $0.decode(at: 0) }
    }

    @Test(arguments: Attack.Shape.allCases)
    fileprivate func `the attack is one: a function that lets the temporary schema come first is struck`(
        shape: Attack.Shape
    ) throws {
        try database.connection().executeSimple(
            """
            ALTER FUNCTION pgbook_data.enter SET search_path = pg_catalog, pgbook_data;
            ALTER FUNCTION pgbook.volatility SET search_path = pg_catalog;
            """)
        let attack = try Attack(database, as: .trader, shape)
        let statements = [
            "SELECT pgbook.place_order('M', 'bid', 1, 100)",
            "SELECT pgbook.volatility('M', '2026-01-01', '2026-02-01', '1h')",
        ]
        #expect(try attack.successes(with: statements) == statements)
    }

    @Test func `a node's tables do not stand in the place of those of a state that is taken over`() throws {
        let node = try ClusterNode("a")
        try node.connection.executeSimple(
            """
            CREATE FUNCTION pg_temp.strike() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'struck as %', current_user; END $$;
            CREATE TEMPORARY TABLE takeover_before (LIKE pgbook_data.outcomes);
            CREATE TEMPORARY TABLE takeover_kept (LIKE pgbook_data.commands);
            CREATE TRIGGER strike BEFORE DELETE ON takeover_kept EXECUTE FUNCTION pg_temp.strike();
            """)
        let refused = #expect(throws: PostgresError.self) {
            try node.connection.execute("SELECT pgbook_data.end_takeover('b')")
        }
        #expect(refused?.sqlState?.code == "PB900", "\(String(describing: refused))")
    }

    @Test func `retention calls nothing that stands beside TimescaleDB's functions under their names`() throws {
        let node = try database.connection(as: .node)
        _ = try Attack(database, as: .reader, .table)
        try database.connection(as: .reader).executeSimple(
            """
            CREATE FUNCTION public.drop_chunks(regclass, older_than timestamptz) RETURNS text LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'struck as %', current_user; END $$;
            CREATE FUNCTION public.set_chunk_time_interval(regclass, interval) RETURNS void LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'struck as %', current_user; END $$;
            """)
        for call in ["drop_trades('2027-01-01 00:00Z')", "set_trade_chunk('1 day')"] {
            let refused = #expect(throws: PostgresError.self) { try node.execute("SELECT pgbook_data.\(call)") }
            #expect(refused?.sqlState?.code == "PB118", "\(String(describing: refused))")
            #expect(refused?.message.contains("of role pgbook_test_reader") == true)
        }
    }
}
