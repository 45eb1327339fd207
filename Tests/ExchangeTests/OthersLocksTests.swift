import Exchange
import Logging
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// What readers and traders can hold on to, pgbook does not wait for.
@Suite struct OthersLocksTests {
    private func matcher() -> Matcher {
        var limits = ExchangeLimits()
        // Whatever is found in time is found because it was announced.
        limits.pollInterval = .seconds(600)
        return Matcher(
            Matcher.Configuration(limits: limits), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Runs a body beside a matcher, and stops that.
    private func besideMatcher(_ desk: borrowing Desk, _ body: () async throws -> Void) async throws {
        let database = try desk.database.configuration(as: .node)
        let matcher = matcher()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await matcher.run(database: database) }
            try await body()
            group.cancelAll()
        }
    }

    private func placesOneByOne(_ desk: borrowing Desk, _ count: Int) async throws {
        for price in 1...count {
            let id = try desk.place(.bid, 1, at: Int128(price))
            try await eventually("it is open", within: .seconds(5)) { try desk.code(id) == "open" }
        }
    }

    /// In a database that gives the public its advisory locks back, for other applications.
    @Test
    func `a reader that sits on every advisory lock delays no order, migration, sidecar, retention or verification`()
        async throws
    {
        let desk = try Desk()
        try desk.database.connection().executeSimple(
            """
            DO $$
            DECLARE f regprocedure;
            BEGIN
                FOR f IN SELECT oid FROM pg_proc WHERE proname LIKE 'pg\\_%advisory%' LOOP
                    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO public', f);
                END LOOP;
            END $$;
            """)
        let reader = try desk.database.connection(as: .reader)
        try reader.executeSimple(
            """
            SELECT pg_advisory_lock(k) FROM unnest('{5131870462, 32200047298964331, 0, 1}'::bigint[]) k;
            SELECT pg_advisory_lock(c.oid::bigint) FROM pg_class c
            WHERE c.relnamespace::regnamespace::text IN ('pgbook', 'pgbook_data', 'pgbook_schema');
            SELECT pg_advisory_lock_shared(k) FROM generate_series(100, 200) k;
            BEGIN;
            LOCK TABLE pgbook_schema.migrations IN ACCESS SHARE MODE;
            """)
        try await besideMatcher(desk) {
            try await eventually("the matcher is asleep") { try desk.connection.isAwaited() }
            try await placesOneByOne(desk, 10)
        }
        let superuser = try desk.database.connection()
        try superuser.executeSimple("SET lock_timeout = '5s'; UPDATE pgbook_schema.functions SET checksum = 'another'")
        #expect(try Migrator(superuser).migrate() == ["functions"])
        #expect(try SidecarSeat(desk.database.configuration(as: .node)) != nil)
        #expect(try desk.verify().differences == [])
        let node = try desk.database.connection(as: .node)
        try node.executeSimple("SET lock_timeout = '5s'")
        #expect(try node.dropTrades(before: Timestamp(0)).isEmpty)
    }

    @Test func `a trader that leaves its order's transaction open delays nobody's order`() async throws {
        let desk = try Desk()
        let trader = try desk.database.connection(as: .trader)
        try trader.executeSimple("BEGIN; SELECT pgbook.place_order('TEST', 'bid', 1, 90)")
        try await besideMatcher(desk) {
            try await eventually("the matcher is asleep") { try desk.connection.isAwaited() }
            try await placesOneByOne(desk, 10)
        }
    }

    @Test func `the transaction that holds a sidecar's seat holds back neither vacuum nor anybody's snapshot`() throws {
        let desk = try Desk()
        let seat = try SidecarSeat(desk.database.configuration(as: .node))
        try withExtendedLifetime(seat) {
            let holders = try desk.connection.execute(
                """
                SELECT a.backend_xid::text, a.backend_xmin::text, a.state FROM pg_stat_activity a
                JOIN pg_locks l USING (pid) WHERE l.relation = 'pgbook_data.sidecar_seat'::regclass AND l.granted
                """)
            #expect(holders.count == 1)
            #expect(try holders.one().decode(String?.self, at: 0) == nil)
            #expect(try holders.one().decode(String?.self, at: 1) == nil)
            #expect(try holders.one().decode(String?.self, at: 2) == "idle in transaction")
        }
    }

    @Test func `a sidecar that has lost its seat to another writes nothing more`() throws {
        let node = try ClusterNode("a")
        let seat = try #require(node.seat)
        #expect(seat.isHeld)
        try node.connection.write([.heard], from: seat)
        try node.database.connection().execute(
            """
            SELECT pg_terminate_backend(l.pid, 10000) FROM pg_locks l
            WHERE l.relation = 'pgbook_data.sidecar_seat'::regclass AND l.granted
            """)
        #expect(!seat.isHeld)
        let other = try #require(try SidecarSeat(node.database.configuration(as: .node)))
        try node.database.connection(as: .node).beginSidecar(other)
        let refused = #expect(throws: PostgresError.self) { try node.connection.write([.heard], from: seat) }
        #expect(refused?.sqlState?.code == "PB903")
    }
}
