import Postgres
import Store
import TestSupport
import Testing

/// What the catalogs say of pgbook's functions and roles.
@Suite struct CatalogTests {
    private func texts(_ sql: String, _ connection: Connection) throws -> [String] {
        try connection.execute(sql).map { try $0.decode(String.self, at: 0) }
    }

    /// A body that is parsed when it is made means what it meant then. Any other looks names up where it is called, in the
    /// path of its caller unless it has its own; a path that does not name pg_temp has it first.
    @Test func `every function has a path of its own with pg_temp last, or a body that was parsed when it was made`()
        throws
    {
        let open = try texts(
            """
            SELECT format('%s %s', p.oid::regprocedure, coalesce(path, 'without a path'))
            FROM pg_proc p
            LEFT JOIN LATERAL (
                SELECT substr(c, length('search_path=') + 1) AS path FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=%'
            ) c ON true
            WHERE p.pronamespace::regnamespace::text IN ('pgbook', 'pgbook_data', 'pgbook_schema')
              AND (path IS NULL OR path NOT IN ('pg_catalog, pg_temp', 'pg_catalog, pgbook_data, pg_temp'))
              -- What it calls has to be safe by itself.
              AND NOT (path IS NULL AND p.prosqlbody IS NOT NULL AND NOT p.prosecdef)
            """, TestDatabase().connection())
        // Its body calls one operator, qualified, and nodes alone may call it.
        #expect(open == ["pgbook_data.expect(bigint,bigint) without a path"])
    }

    /// A type of the caller's brings its own operators and casts along.
    @Test func `no function that others than nodes may call takes a type that its caller may choose`() throws {
        let chosen = try texts(
            """
            SELECT p.oid::regprocedure::text FROM pg_proc p
            WHERE p.pronamespace::regnamespace::text IN ('pgbook', 'pgbook_data')
              AND has_function_privilege('pgbook_trader', p.oid, 'execute')
              AND EXISTS (SELECT FROM unnest(p.proargtypes) a(oid) JOIN pg_type t USING (oid)
                          WHERE t.typtype = 'p' OR t.typnamespace <> 'pg_catalog'::regnamespace)
            """, TestDatabase().connection())
        #expect(chosen == [])
    }

    @Test func `no function of pgbook belongs to another than pgbook_owner, nor may the public call one`() throws {
        let wrong = try texts(
            """
            SELECT p.oid::regprocedure::text FROM pg_proc p
            WHERE p.pronamespace::regnamespace::text IN ('pgbook', 'pgbook_data', 'pgbook_schema')
              AND (p.proowner <> 'pgbook_owner'::regrole
                   OR EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0))
            """, TestDatabase().connection())
        #expect(wrong == [])
    }

    @Test func `no role of pgbook can log in, is more than itself, or may act as the owner`() throws {
        let connection = try TestDatabase().connection()
        let mighty = try texts(
            """
            SELECT rolname::text FROM pg_roles
            WHERE rolname IN ('pgbook_owner', 'pgbook_node', 'pgbook_trader', 'pgbook_reader')
              AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
            """, connection)
        #expect(mighty == [])
        let memberships = try texts(
            """
            SELECT format('%s is a %s', member::regrole, roleid::regrole) FROM pg_auth_members
            WHERE member::regrole::text IN ('pgbook_owner', 'pgbook_node', 'pgbook_trader', 'pgbook_reader')
            ORDER BY 1
            """, connection)
        #expect(memberships == ["pgbook_node is a pgbook_trader", "pgbook_trader is a pgbook_reader"])
    }

    /// A function there could be taken for one of pgbook's, and would run with the owner's rights.
    @Test func `nobody but the owner may make anything in pgbook's schemas`() throws {
        let makers = try texts(
            """
            SELECT format('%s in %s', r.rolname, n.nspname) FROM pg_roles r CROSS JOIN pg_namespace n
            WHERE n.nspname IN ('pgbook', 'pgbook_data', 'pgbook_schema') AND has_schema_privilege(r.oid, n.oid, 'create')
              AND NOT r.rolsuper AND NOT pg_has_role(r.oid, 'pgbook_owner', 'member')
            """, TestDatabase().connection())
        #expect(makers == [])
    }

    @Test func `a node that inserts the first trade of a day needs no right to make its chunk`() throws {
        let database = try TestDatabase()
        try database.addMarket("M", tick: "1", lot: "1")
        try database.connection(as: .node).executeSimple(
            """
            INSERT INTO pgbook_data.trades (market, time, trade_id, price, amount, taker_side)
            VALUES (1, '2026-01-05 12:00Z', 1, 1, 1, 0)
            """)
        let owners = try texts(
            "SELECT tableowner::text FROM pg_tables WHERE tablename LIKE '\\_hyper%chunk'", database.connection())
        #expect(owners == ["pgbook_owner"])
    }
}
