import Postgres
import TestSupport
import Testing

@testable import Store

/// What a migration takes from the public in the whole database.
@Suite struct DatabaseRightsTests {
    /// A copy of a template has its functions' rights and not its database's, so these are taken again.
    private func migrated() throws -> TestDatabase {
        let database = try TestDatabase()
        let file = try #require(Migrations.functions.first { $0.name.hasSuffix("01_database") })
        try database.connection().executeSimple(file.sql)
        return database
    }

    private func isRefused(_ statement: String, _ connection: Connection) throws -> Bool {
        do {
            try connection.executeSimple(statement)
            return false
        } catch {
            guard error.isMissingRight else { throw error }
            return true
        }
    }

    @Test(arguments: [TestServer.Login.reader, .trader])
    func `readers and traders make no temporary tables, types or functions`(login: TestServer.Login) throws {
        let connection = try migrated().connection(as: login)
        for statement in [
            "CREATE TEMPORARY TABLE commands (id uuid)", "CREATE DOMAIN pg_temp.text AS pg_catalog.text",
            "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        ] {
            #expect(try isRefused(statement, connection), "\(statement)")
        }
    }

    @Test(arguments: [TestServer.Login.reader, .trader])
    func `readers and traders take no advisory locks and make no large objects`(login: TestServer.Login) throws {
        let connection = try migrated().connection(as: login)
        for name in [
            "lock", "lock_shared", "xact_lock", "xact_lock_shared", "unlock", "unlock_shared",
        ].flatMap({ ["pg_advisory_\($0)", "pg_try_advisory_\($0)"] }) where !name.contains("try_advisory_unlock") {
            #expect(try isRefused("SELECT \(name)(1)", connection), "\(name)")
            #expect(try isRefused("SELECT \(name)(1, 2)", connection), "\(name)")
        }
        for call in ["lo_create(0)", "lo_creat(-1)", "lo_from_bytea(0, '')"] {
            #expect(try isRefused("SELECT \(call)", connection), "\(call)")
        }
    }

    @Test func `a node makes temporary tables, for imports and takeovers`() throws {
        try migrated().connection(as: .node).executeSimple("CREATE TEMPORARY TABLE t (id uuid)")
    }

    @Test func `whoever may not take these rights from the public migrates nothing`() throws {
        _ = try TestDatabase()
        let database = try TestDatabase(migrated: false)
        let superuser = try database.connection()
        // As a migration of before the functions took them.
        let schema = Migrations.schema
        try Migrator(superuser, known: schema).migrate()
        try superuser.executeSimple(
            """
            DO $$ BEGIN CREATE ROLE pgbook_test_migrator LOGIN PASSWORD 'pgbook'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
            GRANT pgbook_owner TO pgbook_test_migrator;
            """)
        let url = try TestServer.url(database: database.name, login: "pgbook_test_migrator", password: "pgbook")
        let connection = try Connection(ConnectionConfiguration(url))
        let refused = #expect(throws: PostgresError.self) { try Migrator(connection).migrate() }
        #expect(
            refused?.isMissingRight == true
                && refused?.message.contains("migrate as a superuser or as the owner") == true)
        #expect(try Migrator(connection).status().pending == ["functions"])
        try Migrator(superuser).migrate()
        #expect(try Migrator(superuser).status().isCurrent)
        // Once they are taken, whoever may act as the owner is enough.
        try superuser.executeSimple("UPDATE pgbook_schema.functions SET checksum = 'another'")
        try Migrator(connection).migrate()
        #expect(try Migrator(superuser).status().isCurrent)
        try superuser.executeSimple("REVOKE pgbook_owner FROM pgbook_test_migrator")
    }
}
