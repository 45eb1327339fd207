import Postgres
import Store
import TestSupport

/// What a login puts in the way of names: whoever looks one up in a place that the login controls runs its code.
struct Attack {
    /// What stands in a relation's place: a table's triggers run where it is written, a view's function where it is read.
    enum Shape: String, CaseIterable { case table, view }

    private let database: TestDatabase
    private let session: Connection
    private let witness: Connection

    /// Opens a session of the login and makes all of it.
    init(_ database: TestDatabase, as login: TestServer.Login, _ shape: Shape) throws {
        self.database = database
        witness = try database.connection()
        try Self.open(witness, database)
        session = try database.connection(as: login)
        let made = try Self.strikes + Self.types(witness) + Self.relations(witness, shape) + Self.functions
        try session.executeSimple(made.joined(separator: ";\n"))
    }

    /// Lets everybody do what a database may let everybody do. What is struck is counted by a sequence: it stays counted
    /// where the statement is undone.
    private static func open(_ witness: Connection, _ database: TestDatabase) throws {
        try witness.executeSimple(
            """
            GRANT TEMPORARY ON DATABASE \(database.name) TO public;
            GRANT CREATE ON SCHEMA public TO public;
            CREATE SEQUENCE IF NOT EXISTS public.struck;
            GRANT USAGE ON SEQUENCE public.struck TO public;
            """)
    }

    private static let strikes = [
        """
        CREATE FUNCTION pg_temp.strike() RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
            IF current_user <> session_user THEN PERFORM pg_catalog.nextval('public.struck'); END IF;
            RETURN true;
        END $$
        """,
        """
        CREATE FUNCTION pg_temp.strike_row() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_temp.strike(); RETURN new; END $$
        """,
    ]

    /// Where everybody may make functions in public: some that fit better than TimescaleDB's of these names.
    private static let functions = [
        """
        CREATE OR REPLACE FUNCTION public.strike_state(bigint, bigint, bigint) RETURNS bigint LANGUAGE plpgsql AS $$
        BEGIN
            IF current_user <> session_user THEN PERFORM pg_catalog.nextval('public.struck'); END IF;
            RETURN 1;
        END $$
        """,
        "CREATE OR REPLACE AGGREGATE public.first(bigint, bigint) (SFUNC = public.strike_state, STYPE = bigint)",
        "CREATE OR REPLACE AGGREGATE public.last(bigint, bigint) (SFUNC = public.strike_state, STYPE = bigint)",
    ]

    /// A domain in the place of every type.
    private static func types(_ witness: Connection) throws -> [String] {
        try texts(
            """
            SELECT format('CREATE DOMAIN pg_temp.%I AS pg_catalog.%I CHECK (pg_temp.strike())', typname, typname)
            FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm') AND typname !~ '^_'
            """, witness)
    }

    /// One in the place of every table and view of pgbook, and of those of the catalogs that its functions read.
    private static func relations(_ witness: Connection, _ shape: Shape) throws -> [String] {
        let columns =
            shape == .table
            ? "string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)"
            : "string_agg(format('null::%s AS %I', format_type(a.atttypid, a.atttypmod), a.attname), ', ' ORDER BY a.attnum)"
        let relations = try witness.execute(
            """
            SELECT DISTINCT ON (c.relname) c.relname, \(columns)
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relkind IN ('r', 'v', 'p') AND (
                c.relnamespace::regnamespace::text IN ('pgbook', 'pgbook_data')
                OR c.relnamespace::regnamespace::text IN ('pg_catalog', 'timescaledb_information') AND EXISTS (
                    SELECT FROM pg_proc p
                    WHERE p.pronamespace::regnamespace::text IN ('pgbook', 'pgbook_data')
                      AND p.prosrc ~ ('\\m' || c.relname || '\\M')))
            GROUP BY c.oid, c.relname ORDER BY c.relname
            """)
        return try relations.flatMap { row -> [String] in
            let name = "\"\(try row.decode(String.self, at: 0))\""
            let columns: String = try row.decode(at: 1)
            return switch shape {
            case .table:
                [
                    "CREATE TEMPORARY TABLE \(name) (\(columns))",
                    "CREATE TRIGGER strike BEFORE INSERT OR UPDATE OR DELETE ON pg_temp.\(name) EXECUTE FUNCTION pg_temp.strike_row()",
                    "GRANT ALL ON pg_temp.\(name) TO public",
                ]
            case .view:
                [
                    "CREATE TEMPORARY VIEW \(name) AS SELECT \(columns) WHERE pg_temp.strike()",
                    "CREATE TRIGGER strike INSTEAD OF INSERT OR UPDATE OR DELETE ON pg_temp.\(name) FOR EACH ROW EXECUTE FUNCTION pg_temp.strike_row()",
                    "GRANT ALL ON pg_temp.\(name) TO public",
                ]
            }
        }
    }

    private static func texts(_ sql: String, _ connection: Connection) throws -> [String] {
        try connection.execute(sql).map { try $0.decode(String.self, at: 0) }
    }

    /// Runs statements of the login's, whatever becomes of them.
    /// - Returns: those with which the login's code ran with another's rights.
    func successes(with statements: [String]) throws -> [String] {
        if try !strikes(with: statements) { return [] }
        return try statements.filter { try strikes(with: [$0]) }
    }

    private func strikes(with statements: [String]) throws -> Bool {
        let before = try strikes()
        for statement in statements {
            do {
                try session.executeSimple(statement)
            } catch  where error.sqlState == .insufficientPrivilege {
                throw TestFault("the login may not even ask for it: \(statement)")
            } catch {}
        }
        return try strikes() > before
    }

    private func strikes() throws -> Int64 {
        try witness.execute("SELECT coalesce(pg_sequence_last_value('public.struck'), 0)").one().decode(at: 0)
    }
}
