public import Postgres
import Store
import Synchronization

/// A database of one test's own, dropped when the test lets go of it and of the connections that it made.
///
///     let database = try TestDatabase()
///     let connection = try database.connection(as: .trader)
///
/// It is a copy of a template that carries the whole schema. The template is made once per server and schema, however
/// many processes ask for it at once.
public final class TestDatabase: Sendable {
    public let name: String
    /// As superuser.
    public let url: String

    /// - Parameter migrated: false for a database without pgbook's schema.
    public init(migrated: Bool = true) throws {
        let server = try TestServer.connection()
        let number = databasesMade.wrappingAdd(1, ordering: .relaxed).newValue
        name = "pgbook_test_\(UInt32.random(in: 0 ... .max))_\(number)"
        url = try TestServer.url(database: name)
        let template = migrated ? try Template.name(on: server) : "template0"
        try server.executeSimple("CREATE DATABASE \(name) TEMPLATE \(template)")
    }

    deinit {
        // A test that failed may have left connections behind.
        _ = try? TestServer.connection().executeSimple("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
    }

    /// The connection string of a login, or of the superuser.
    public func url(as login: TestServer.Login?) throws -> String {
        guard let login else { return url }
        return try TestServer.url(database: name, login: login.rawValue, password: Template.password)
    }

    public func configuration(as login: TestServer.Login? = nil) throws -> ConnectionConfiguration {
        // The connection holds its receiver of notices, and this one holds the database.
        ConnectionConfiguration(
            try url(as: login), applicationName: "pgbook tests", onNotice: { _ in withExtendedLifetime(self) {} })
    }

    /// A blocking connection, for the test's own statements.
    public func connection(as login: TestServer.Login? = nil) throws -> Connection {
        try Connection(configuration(as: login))
    }

    /// A connection on a thread of its own, for whatever waits.
    public func session(as login: TestServer.Login? = nil) throws -> Session {
        Session(try configuration(as: login))
    }

    /// Adds a market with tick size 0.5 and lot size 0.001, unless told otherwise.
    public func addMarket(_ name: String = "BTC-USD", tick: String = "0.5", lot: String = "0.001") throws {
        try connection().execute("SELECT pgbook.add_market($1, $2::text::numeric, $3::text::numeric)", name, tick, lot)
    }
}

private let databasesMade = Atomic<Int>(0)

/// The migrated database that the tests' databases are copied from.
private enum Template {
    static let password = "pgbook"

    private static let cached = Mutex<String?>(nil)

    /// Its name; makes it where this schema's is missing.
    static func name(on server: Connection) throws -> String {
        try cached.withLock { cached in
            if let cached { return cached }
            let name = try make(on: server)
            cached = name
            return name
        }
    }

    private static func make(on server: Connection) throws -> String {
        let name = "pgbook_template_\(Migrator.checksum)"
        // Until this connection ends: one process makes it, the others wait.
        try server.execute("SELECT pg_advisory_lock(5131870461)")
        defer { _ = try? server.execute("SELECT pg_advisory_unlock(5131870461)") }
        guard try server.execute("SELECT FROM pg_database WHERE datname = $1", name).isEmpty else { return name }
        let draft = name + "_draft"
        try server.executeSimple("DROP DATABASE IF EXISTS \(draft) WITH (FORCE)")
        try server.executeSimple("CREATE DATABASE \(draft) TEMPLATE template0")
        do {
            let connection = try Connection(ConnectionConfiguration(TestServer.url(database: draft)))
            try Migrator(connection).migrate()
        }
        for login in TestServer.Login.allCases { try add(login, on: server) }
        try server.executeSimple("ALTER DATABASE \(draft) RENAME TO \(name)")
        return name
    }

    private static func add(_ login: TestServer.Login, on server: Connection) throws {
        if try server.execute("SELECT FROM pg_roles WHERE rolname = $1", login.rawValue).isEmpty {
            try server.executeSimple("CREATE ROLE \(login.rawValue) LOGIN PASSWORD '\(password)'")
        }
        try server.executeSimple("GRANT \(login.role) TO \(login.rawValue)")
    }
}
