import Foundation
import Postgres
import Store
import TestSupport
import Testing

/// On a server of their own, which they crash and set otherwise.
@Suite(.serialized) struct DurabilityTests {
    private static func migrated() throws -> PrivateServer {
        let server = try PrivateServer()
        try server.create("book")
        let migrated = try Program.run(["migrate"], database: server.url(database: "book"))
        #expect(migrated.status == 0, "\(migrated.errors)")
        let added = try Program.run(
            ["market", "add", "M", "--tick", "1", "--lot", "1"], database: server.url(database: "book"))
        #expect(added.status == 0, "\(added.errors)")
        return server
    }

    @Test
    func `what was acknowledged is there after a crash, though the role and the database have synchronous_commit off`()
        async throws
    {
        let server = try Self.migrated()
        // Without the writer's help nothing is on disk by chance.
        try server.set("wal_writer_delay", "10s")
        let admin = try server.connection()
        for role in ["careless_node", "careless_trader"] {
            try admin.executeSimple(
                """
                CREATE ROLE \(role) LOGIN IN ROLE \(role.replacing("careless", with: "pgbook"));
                ALTER ROLE \(role) SET synchronous_commit = off
                """)
        }
        try admin.executeSimple("ALTER DATABASE book SET synchronous_commit = off")
        let node = server.url(database: "book", user: "careless_node")
        let trader = server.url(database: "book", user: "careless_trader")
        let serve = try RunningProgram(["serve", "--port", "0"], database: node)
        let orders = (0..<10).map { "buy 1 @ \($0 + 1)" }.joined(separator: "\n")
        let placed = try Program.run(["shell"], database: trader, input: orders + "\n")
        #expect(placed.status == 0, "\(placed.errors)")
        // SQL callers too, whatever their session is set to.
        let caller = try server.connection(database: "book", user: "careless_trader")
        let id = try caller.execute("SELECT pgbook.place_order('M', 'bid', 1, 500)::text").one().decode(
            String.self, at: 0)
        try server.crash()
        serve.signal(SIGKILL)
        try server.start()
        let book = try server.connection(database: "book")
        let found = try book.execute("SELECT count(*) FROM pgbook.orders WHERE price < 100 AND status = 'open'")
        #expect(try found.one().decode(Int64.self, at: 0) == 10)
        #expect(try book.execute("SELECT FROM pgbook.commands WHERE id = $1::text::uuid", id).count == 1)
    }

    @Test(arguments: ["fsync", "full_page_writes"])
    func `a server that keeps nothing gets no command acknowledged, and is told how to mend it`(setting: String)
        async throws
    {
        let server = try Self.migrated()
        let url = server.url(database: "book")
        let running = try RunningProgram(["serve", "--port", "0"], database: url)
        try await eventually("it matches") { running.errors.contains("matching") }
        try server.set(setting, "off")
        for command in [
            ["serve", "--port", "0"], ["serve", "--roles", "matcher"], ["place", "buy", "1", "M", "--price", "1"],
            ["candles", "rebuild"], ["cancel-all"],
        ] {
            let result = try Program.run(command, database: url)
            #expect(result.status == 3, "\(command): \(result.errors)")
            #expect(result.errors.contains("\(setting) is off"), "\(command): \(result.errors)")
            #expect(result.errors.contains("set \(setting) = on in postgresql.conf"), "\(result.errors)")
        }
        // One that runs already notices within a poll.
        try await eventually("the running matcher stops") { running.errors.contains("\(setting) is off") }
        let error = #expect(throws: PostgresError.self) {
            try server.connection(database: "book").execute("SELECT pgbook.place_order('M', 'bid', 1, 1)")
        }
        #expect(error?.message.contains("\(setting) is off") == true, "\(String(describing: error))")
        let book = try Program.run(["book", "M"], database: url)
        #expect(book.status == 0, "reading goes on: \(book.errors)")
        let doctor = try Program.run(["doctor"], database: url)
        #expect(doctor.output.contains("\(setting) is off"), "\(doctor.output)")
        // And goes on when it is mended.
        try server.set(setting, "on")
        let placed = try Program.run(["place", "buy", "1", "M", "--price", "1"], database: url)
        #expect(placed.status == 0, "\(placed.errors)")
    }
}
