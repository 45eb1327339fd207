import Testing

@testable import Postgres

/// What of a connection string can come to light.
@Suite struct SecretTests {
    private static let strings = [
        "postgresql://u:hunter2@xyzzy@h/db", "postgresql://u:hunter2/xyzzy@h/db", "postgresql://u:hunter2xyzzy%zz@h/db",
        "postgresql://u:hunter2xyzzy@[h/db", "postgresql://u:hunter2xyzzy@h:port/db",
        "postgresql://u:hunter2xyzzy@h/db?xyzzy",
        "postgresql://u:hunter2xyzzy@h/db?a=xyzzy=1", "postgresql://u:hunter2xyzzy@h/db?xyzzy=1",
        "host=x password=hunter2 xyzzy", "host=x password='hunter2 xyzzy", "password=hunter2xyzzy hosst=x",
        "password=hunter2xyzzy port=none host=127.0.0.1", "password = 'hunter2' 'xyzzy' host=x",
        "postgresql:/u:hunter2xyzzy@h/db", "POSTGRESQL://u:hunter2xyzzy@h/db", "mysql://u:hunter2xyzzy@h/db?x=1",
        "postgresql+asyncpg://u:hunter2xyzzy@h/db", "u:hunter2xyzzy@h/db", "postgresql://u:hunter2\"xyzzy@h:\"5/d=\"",
        "password=hunter2\"xyzzy\" \"b", "postgresql://u:hunter2?xyzzy@y@h/db", "postgresql://u:hunter2#xyzzy/@h",
    ]

    @Test(arguments: strings) func `a string that cannot be understood is told of without any of it`(text: String)
        throws
    {
        let error = try #require(throws: PostgresError.self) {
            try Connection(ConnectionConfiguration(text, connectTimeoutSeconds: 2))
        }
        for piece in ["hunter2", "xyzzy"] { #expect(!error.description.contains(piece), "\(error)") }
        var apart = ""
        do { apart = "\(try ConnectionConfiguration(text).withPasswordApart().connectionString ?? "")" } catch {
            apart = "\(error)"
        }
        #expect(!apart.contains("hunter2"), "\(apart)")
    }

    @Test(arguments: [
        "postgresql://u:p%40ss@h:5432/db?sslmode=disable", "postgres://%2Frun%2Fpostgresql/db",
        "postgresql:///db?host=/run",
        "host=h user=u password='a b' dbname=d", "mydb", "", "postgresql://u@h1:1,h2:2/db?target_session_attrs=any",
        "postgresql://[::1]:5432/db", "postgresql://u:a?b@h/db",
    ])
    func `what can be understood is let through`(text: String) {
        #expect(ConnectionString.fault(of: text) == nil)
    }

    @Test func `no dump of a configuration shows its connection string`() {
        let configuration = ConnectionConfiguration("postgresql://u:hunter2@h/db")
        var text = "\(configuration) \(String(reflecting: configuration)) \(Secret("hunter2"))"
        dump(configuration, to: &text)
        #expect(!text.contains("hunter2"))
        #expect(configuration.connectionString == "postgresql://u:hunter2@h/db")
    }
}
