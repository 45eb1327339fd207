import Postgres
import TestSupport
import Testing

@testable import Store

private func tableCount(_ connection: Connection) throws -> Int {
    try connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'pgbook_data'").one().decode(at: 0)
}

@Test func `an empty database gets the whole schema, and a second run finds nothing to do`() throws {
    let database = try TestDatabase(migrated: false)
    let connection = try database.connection()
    let migrator = Migrator(connection)
    #expect(try migrator.status().pending == Migrator.knownNames)
    #expect(throws: StoreError.self) { try migrator.requireCurrent() }

    var told: [String] = []
    #expect(try migrator.migrate { told.append($0) } == Migrator.knownNames)
    #expect(told == Migrator.knownNames)
    #expect(try migrator.status().isCurrent)
    try migrator.requireCurrent()

    let tables = try tableCount(connection)
    #expect(try migrator.migrate() == [])
    #expect(try tableCount(connection) == tables)
}

@Test func `many migrate one database at once, and each migration is applied by one of them`() async throws {
    let database = try TestDatabase(migrated: false)
    let applied = try await withThrowingTaskGroup(of: [String].self) { group in
        for _ in 0..<6 {
            let session = try database.session()
            group.addTask { try await session.run { try Migrator($0).migrate() } }
        }
        return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(applied.sorted() == Migrator.knownNames)
}

@Test func `many databases of one server are migrated at once`() async throws {
    let databases = try (0..<4).map { _ in try TestDatabase(migrated: false) }
    try await withThrowingTaskGroup(of: Void.self) { group in
        for database in databases {
            let session = try database.session()
            group.addTask {
                let applied = try await session.run { try Migrator($0).migrate() }
                #expect(applied == Migrator.knownNames)
            }
        }
        try await group.waitForAll()
    }
}

private let first = (name: "0001_one", sql: "CREATE SCHEMA one")
private let second = (name: "0002_two", sql: "CREATE SCHEMA two; CREATE TABLE two.rows (x integer)")

@Test func `a migration that fails leaves nothing of itself, and what came before it stays`() throws {
    let database = try TestDatabase(migrated: false)
    let connection = try database.connection()
    let broken = (name: "0002_two", sql: "CREATE SCHEMA two; SELECT 1 / 0")
    #expect(throws: PostgresError.self) { try Migrator(connection, known: [first, broken]).migrate() }
    #expect(try Migrator(connection, known: [first, second]).status().pending == ["0002_two"])
    #expect(try Migrator(connection, known: [first, second]).migrate() == ["0002_two"])
}

@Test func `a schema newer than the binary is refused by name`() throws {
    let database = try TestDatabase(migrated: false)
    let connection = try database.connection()
    try Migrator(connection, known: [first, second]).migrate()
    let older = Migrator(connection, known: [first])
    let refusals = [
        #expect(throws: StoreError.self) { try older.migrate() },
        #expect(throws: StoreError.self) { try older.requireCurrent() },
    ]
    for refusal in refusals {
        #expect(refusal?.kind == .schemaIsNewer)
        #expect(refusal?.message.contains("0002_two") == true)
    }
}

@Test func `an older schema is refused with the command that mends it`() throws {
    let database = try TestDatabase(migrated: false)
    let connection = try database.connection()
    try Migrator(connection, known: [first]).migrate()
    let error = #expect(throws: StoreError.self) { try Migrator(connection, known: [first, second]).requireCurrent() }
    #expect(error?.kind == .notMigrated)
    #expect(error?.message.contains("0002_two not applied; run: pgbook migrate") == true)
}

@Test func `a migration that was changed after it was applied is refused`() throws {
    let database = try TestDatabase(migrated: false)
    let connection = try database.connection()
    try Migrator(connection, known: [first]).migrate()
    let changed = (name: first.name, sql: first.sql + " ")
    let error = #expect(throws: StoreError.self) { try Migrator(connection, known: [changed, second]).migrate() }
    #expect(error?.kind == .migrationChanged)
    #expect(error?.message.contains("0001_one") == true)
}

@Test func `a migration that comes before an applied one is refused`() throws {
    let database = try TestDatabase(migrated: false)
    let connection = try database.connection()
    try Migrator(connection, known: [second]).migrate()
    let error = #expect(throws: StoreError.self) { try Migrator(connection, known: [first, second]).migrate() }
    #expect(error?.kind == .migrationChanged)
}

@Test func `functions are made anew where they differ, all of them or none`() throws {
    let database = try TestDatabase(migrated: false)
    let connection = try database.connection()
    func migrator(_ bodies: String...) -> Migrator {
        let functions = bodies.enumerated().map { index, body in
            (name: "f\(index)", sql: "CREATE OR REPLACE FUNCTION one.f\(index)() RETURNS integer LANGUAGE sql RETURN \(body)")
        }
        return Migrator(connection, known: [first], functions: functions)
    }
    func value() throws -> Int32 { try connection.execute("SELECT one.f0()").one().decode(at: 0) }
    #expect(try migrator("1").migrate() == ["0001_one", "functions"])
    #expect(try migrator("1").migrate() == [])
    let error = #expect(throws: StoreError.self) { try migrator("2").requireCurrent() }
    #expect(error?.message.contains("run: pgbook migrate") == true)
    #expect(try migrator("2").status().pending == ["functions"])
    #expect(throws: PostgresError.self) { try migrator("3", "no_such_thing").migrate() }
    #expect(try value() == 1)
    #expect(try migrator("2").migrate() == ["functions"])
    #expect(try value() == 2)
    try migrator("2").requireCurrent()
}

@Test func `a database made by the last migration of the layout before is taken over, an older one is refused`() throws {
    let database = try TestDatabase(migrated: false)
    let connection = try database.connection()
    // Its tables were those of the first five files of today.
    try Migrator(connection, known: Array(Migrations.schema.prefix(5))).migrate()
    let names = ["0001_roles", "0002_tables", "0027_new_members", "0028_stored_through"]
    func make(old names: [String]) throws {
        try connection.executeSimple(
            """
            DROP TABLE IF EXISTS pgbook_schema.functions;
            DELETE FROM pgbook_schema.migrations;
            DROP TABLE IF EXISTS pgbook_data.home
            """)
        for name in names {
            try connection.execute("INSERT INTO pgbook_schema.migrations (name, checksum) VALUES ($1, '')", name)
        }
    }
    try make(old: names.dropLast())
    for refused in [{ _ = try Migrator(connection).migrate() }, { try Migrator(connection).requireCurrent() }] {
        #expect(throws: StoreError.self) { try refused() }
    }
    try make(old: names)
    #expect(try !Migrator(connection).status().isCurrent)
    #expect(try Migrator(connection).migrate().last == "functions")
    #expect(try Migrator(connection).status().isCurrent)
}

@Test func `a role that is no superuser can migrate a database of its own`() throws {
    let database = try TestDatabase(migrated: false)
    let server = try TestServer.connection()
    let owner = "\(database.name)_owner"
    try server.executeSimple("CREATE ROLE \(owner) LOGIN CREATEROLE PASSWORD 'pgbook'")
    defer { _ = try? server.executeSimple("DROP OWNED BY \(owner); DROP ROLE \(owner)") }
    // The roles are there already, made by somebody else: whoever administers them lets the newcomer use them.
    try server.executeSimple(
        "GRANT pgbook_owner, pgbook_node, pgbook_trader, pgbook_reader TO \(owner) WITH ADMIN OPTION; "
            + "ALTER DATABASE \(database.name) OWNER TO \(owner)")
    let url = try TestServer.url(database: database.name, login: owner, password: "pgbook")
    let connection = try Connection(ConnectionConfiguration(url))
    #expect(try Migrator(connection).migrate() == Migrator.knownNames)
}

@Test(
    arguments: [
        (13, "2.19.3", true, "PostgreSQL 13.1 is too old"),
        (17, nil, false, "postgresql-17-timescaledb"),
        (16, nil, true, "postgresql-16-timescaledb"),
        (17, "2.19.3", false, "shared_preload_libraries"),
        (17, "2.19.3", true, nil),
    ] as [(Int32, String?, Bool, String?)])
func `a server without what pgbook needs is told what to install`(
    major: Int32, timescale: String?, isPreloaded: Bool, expected: String?
) {
    let facts = ServerFacts(
        version: "\(major).1", versionNumber: major * 10_000 + 1, timescaleAvailable: timescale,
        timescaleIsPreloaded: isPreloaded)
    #expect((facts.fault == nil) == (expected == nil))
    if let expected { #expect(facts.fault?.contains(expected) == true) }
}

@Test func `a migration that a reader keeps waiting says for whom it waits, and goes on when that has ended`() throws {
    let database = try TestDatabase()
    let connection = try database.connection()
    try connection.executeSimple("UPDATE pgbook_schema.functions SET checksum = 'another'")
    let reader = try database.connection(as: .reader)
    try reader.executeSimple("BEGIN; SELECT count(*) FROM pgbook.orders")
    var told: [String] = []
    let applied = try Migrator(connection).migrate(onWaiting: { line in
        told.append(line)
        reader.rollBack()
    })
    #expect(applied == ["functions"])
    #expect(
        told.first?.hasPrefix("waiting for process \(reader.serverProcessID) of pgbook_test_reader (pgbook tests), ") == true,
        "\(told)")
    #expect(told.first?.contains("pgbook.orders") == true && told.count == 1, "\(told)")
}
