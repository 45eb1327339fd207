import Foundation
import Postgres
import TestSupport
import Testing

/// Commands that need a database, each with what it takes to run.
private let commands = [
    ["market", "list"], ["market", "add", "X", "--tick", "1", "--lot", "1"], ["market", "halt", "X"],
    ["place", "buy", "1", "X", "--price", "1"], ["cancel", "0197c1d8-5a00-7000-8000-000000000000"], ["cancel-all"],
    ["amend", "0197c1d8-5a00-7000-8000-000000000000", "--amount", "1"], ["orders"], ["book"], ["trades"], ["watch"],
    ["order", "--client-order-id", "x"], ["shell"], ["serve", "--roles", "matcher"],
]

@Suite struct DatabaseStateTests {
    @Test(arguments: commands + [["migrate"], ["doctor"]])
    func `a server that does not answer is one line and exit code 3`(command: [String]) throws {
        let result = try Program.run(command, database: "postgresql://nobody@127.0.0.1:1/none")
        #expect(result.status == 3)
        #expect(result.errors.hasPrefix("pgbook: cannot connect: "), "\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
        #expect(result.output == "")
    }

    @Test func `a database that does not exist is named`() throws {
        let result = try Program.run(["orders"], database: TestServer.url(database: "no_such_database"))
        #expect(result.status == 3)
        #expect(result.errors.contains("\"no_such_database\" does not exist"))
    }

    @Test func `a database that is not migrated is refused with the command that mends it`() throws {
        let database = try TestDatabase(migrated: false)
        for command in commands {
            let result = try Program.run(command, database: database.url)
            #expect(result.status == 3)
            #expect(
                result.errors == "pgbook: database \"\(database.name)\" has no pgbook schema yet; run: pgbook migrate\n"
            )
        }
    }

    @Test func `--database goes before DATABASE_URL`() throws {
        let database = try TestDatabase()
        let result = try Program.run(
            ["market", "list", "--json", "--database", database.url], database: "postgresql://nobody@127.0.0.1:1/none")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output == "[]\n")
    }

    @Test func `without a URL libpq's own variables speak`() throws {
        let database = try TestDatabase()
        let connection = try database.connection()
        let variables = [
            "PGHOST": connection.host, "PGPORT": connection.port, "PGUSER": connection.user,
            "PGDATABASE": database.name,
        ]
        let result = try Program.run(["market", "list", "--json"], environment: variables)
        #expect(result.status == 0, "\(result.errors)")
    }

    @Test func `migrate tells what it applied, and finds nothing to do afterwards`() throws {
        let database = try TestDatabase(migrated: false)
        let before = try Program.run(["migrate", "--status", "--json"], database: database.url)
        #expect(before.status == 1)
        #expect(try before.json(as: [String: Any].self)["is_current"] as? Bool == false)

        let first = try Program.run(["migrate"], database: database.url)
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.lines.first == "applied  0001_roles")
        let second = try Program.run(["migrate"], database: database.url)
        #expect(second.output.contains("is up to date"))

        let after = try Program.run(["migrate", "--status", "--json"], database: database.url)
        #expect(after.status == 0)
        #expect(try after.json(as: [String: Any].self)["is_current"] as? Bool == true)
    }

    @Test func `a schema from the future is refused by every command`() throws {
        let database = try TestDatabase()
        try database.connection().executeSimple(
            "INSERT INTO pgbook_schema.migrations (name, checksum) VALUES ('9999_future', '')")
        for command in [["orders"], ["migrate"], ["serve", "--roles", "matcher"]] {
            let result = try Program.run(command, database: database.url)
            #expect(result.status == 3)
            #expect(result.errors.contains("9999_future"), "\(result.errors)")
        }
        let doctor = try Program.run(["doctor", "--json"], database: database.url)
        #expect(doctor.status == 1)
        #expect(doctor.output.contains("9999_future"))
    }

    @Test func `doctor names what is wrong and how to mend it`() throws {
        let database = try TestDatabase(migrated: false)
        let empty = try Program.run(["doctor", "--json"], database: database.url)
        #expect(empty.status == 1)
        let faults = try #require(try empty.json(as: [String: Any].self)["faults"] as? [String])
        #expect(faults.contains { $0.contains("run: pgbook migrate") })
        #expect(faults.contains { $0.contains("set fsync = on") }, "test servers run without fsync")
    }

    @Test func `doctor sees commands that nobody executes`() throws {
        let database = try TestDatabase()
        try database.addMarket()
        try database.connection(as: .trader).execute("SELECT pgbook.place_order('BTC-USD', 'bid', 1, 100)")
        let doctor = try Program.run(["doctor", "--json", "--patience", "0"], database: database.url(as: .reader))
        #expect(doctor.status == 1)
        let report = try doctor.json(as: [String: Any].self)
        let waiting = try #require(report["waiting"] as? [[String: Any]])
        #expect(waiting.count == 1)
        #expect(waiting.first?["commands"] as? Int == 1)
        #expect((report["faults"] as? [String])?.contains { $0.contains("start one: pgbook serve") } == true)
        let people = try Program.run(["doctor"], database: database.url(as: .reader))
        #expect(people.output.contains("timescaledb"))
    }

    @Test func `serve is refused to a role that is no node`() throws {
        let database = try TestDatabase()
        let result = try Program.run(["serve"], database: database.url(as: .trader))
        #expect(result.status == 3)
        #expect(result.errors.contains("GRANT pgbook_node"), "\(result.errors)")
    }

    @Test func `a port that is taken is named, and exit code 3`() async throws {
        let database = try TestDatabase()
        let first = try RunningProgram(["serve", "--port", "0"], database: database.url)
        try await eventually("it listens", within: .seconds(60)) { first.errors.contains("[pgbook] listening") }
        let match = try #require(first.errors.firstMatch(of: /port=(\d+) \[pgbook\] listening/), "\(first.errors)")
        let second = try Program.run(
            ["serve", "--roles", "gateway", "--port", String(match.1)], database: database.url)
        #expect(second.status == 3)
        let complaint = "pgbook: cannot listen on 127.0.0.1 port \(match.1): Address already in use;"
        #expect(second.errors.contains(complaint), "\(second.errors)")
        let doctor = try Program.run(["doctor", "--json"], database: database.url)
        #expect(doctor.output.contains("\"matchers\":1"))
        first.signal(SIGTERM)
        #expect(try first.result().status == 0)
    }

    @Test func `serve does not listen to the world by accident`() throws {
        let database = try TestDatabase()
        let result = try Program.run(["serve", "--host", "0.0.0.0", "--port", "0"], database: database.url)
        #expect(result.status == 2)
        #expect(result.errors.contains("--allow-insecure"), "\(result.errors)")
    }
}
