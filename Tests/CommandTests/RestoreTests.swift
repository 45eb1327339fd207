import Foundation
import Postgres
import TestSupport
import Testing

/// A dump of a book, restored on a server that never saw pgbook, in the ways that people do it.
@Suite(.enabled(if: TestServer.programs != nil, "left out: PGBOOK_TEST_POSTGRES_BIN names no programs"))
struct RestoreTests {
    private static func program(_ name: String) -> String { TestServer.programs! + "/" + name }

    /// pg_restore says with its exit code that roles are missing; that it is overlooked is the point.
    private static func restore(_ options: [String], _ server: PrivateServer, _ database: String, _ dump: String) {
        _ = try? run(program("pg_restore"), options + ["-d", server.url(database: database), dump])
    }

    @Test func `a restore that left something out is refused with its remedy, and trades again after it`() async throws
    {
        let database = try TestDatabase()
        try database.addMarket("M", tick: "1", lot: "1")
        try await withMatcher(database) {
            for (side, price) in [("buy", "7"), ("sell", "7"), ("buy", "5")] {
                let placed = try Program.run(["place", side, "1", "M", "--price", price], database: database.url)
                #expect(placed.status == 0, "\(placed.errors)")
            }
        }
        let before = try Program.run(["verify", "--json"], database: database.url).output
        let dump = "/tmp/pgbook-dump-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: dump) }
        try run(Self.program("pg_dump"), ["-Fc", "-f", dump, database.url])

        let server = try PrivateServer()
        for way in ["plain", "no_owner", "documented"] {
            try server.create(way)
            let url = server.url(database: way)
            let admin = try server.connection(database: way)
            if way != "plain" {
                try admin.executeSimple("CREATE EXTENSION timescaledb")
                try server.connection(database: way).executeSimple("SELECT timescaledb_pre_restore()")
            }
            Self.restore(way == "no_owner" ? ["--no-owner", "--no-acl"] : [], server, way, dump)
            if way != "plain" {
                let doctor = try Program.run(["doctor"], database: url)
                #expect(doctor.output.contains("timescaledb_post_restore()"), "\(way): \(doctor.output)")
                let early = try Program.run(["place", "buy", "1", "M", "--price", "1"], database: url)
                #expect(
                    early.status == 3 && early.errors.contains("timescaledb_post_restore()"), "\(way): \(early.errors)")
                try server.connection(database: way).executeSimple("SELECT timescaledb_post_restore()")
            }
            if way != "documented" {
                // By now the roles are there if an earlier way was mended.
                let serve = try Program.run(["serve", "--port", "0"], database: url)
                #expect(serve.status == 3 && serve.errors.contains("run: pgbook migrate"), "\(way): \(serve.errors)")
                let doctor = try Program.run(["doctor"], database: url)
                #expect(doctor.status == 1 && doctor.output.contains("belongs to pgbook"), "\(way): \(doctor.output)")
                let mended = try Program.run(["migrate"], database: url)
                #expect(mended.status == 0, "\(way): \(mended.errors)")
            }
            let doctor = try Program.run(["doctor"], database: url)
            #expect(doctor.status == 0, "\(way): \(doctor.output)")
            #expect(try Program.run(["verify", "--json"], database: url).output == before, "\(way)")
            #expect(try Program.run(["candles", "verify"], database: url).status == 0)

            // It trades, also into a day's chunk that is not there yet, and rights are as before.
            try admin.executeSimple("CREATE ROLE \(way)_trader LOGIN IN ROLE pgbook_trader")
            try admin.executeSimple("CREATE ROLE \(way)_node LOGIN IN ROLE pgbook_node")
            let serve = try RunningProgram(
                ["serve", "--port", "0"], database: server.url(database: way, user: "\(way)_node"))
            let trader = server.url(database: way, user: "\(way)_trader")
            let placed = try Program.run(["place", "sell", "1", "M", "--price", "5"], database: trader)
            #expect(
                placed.status == 0 && placed.output.contains("filled 1"), "\(way): \(placed.errors)\(placed.output)")
            let other = try Program.run(["place", "buy", "1", "M", "--price", "5", "--user", "eve"], database: trader)
            #expect(other.status == 1 && other.errors.contains("not_permitted"), "\(way): \(other.errors)")
            serve.signal(SIGTERM)
            #expect(try serve.result().status == 0)
        }
    }

    @Test func `whatever of owners and rights is changed by hand is named, and mended by migrate`() throws {
        let database = try TestDatabase()
        let admin = try database.connection()
        let login = admin.user
        for (change, name) in [
            ("ALTER FUNCTION pgbook.cancel_all OWNER TO \(login)", "pgbook.cancel_all() belongs to \(login)"),
            ("ALTER TABLE pgbook_data.book OWNER TO \(login)", "pgbook_data.book belongs to \(login)"),
            ("ALTER TABLE pgbook_data.trades OWNER TO \(login)", "pgbook_data.trades belongs to \(login)"),
            ("ALTER VIEW pgbook.orders OWNER TO \(login)", "pgbook.orders belongs to \(login)"),
            ("REVOKE INSERT ON pgbook_data.closed FROM pgbook_node", "pgbook_node may not write pgbook_data.closed"),
            ("REVOKE USAGE ON SCHEMA pgbook_data FROM pgbook_node", "pgbook_node may not write"),
            ("REVOKE SELECT ON pgbook.trades FROM pgbook_reader", "pgbook_reader may not read pgbook.trades"),
            ("GRANT EXECUTE ON FUNCTION pgbook_data.enter TO public", "anybody may call pgbook_data.enter"),
            (
                "REVOKE EXECUTE ON FUNCTION pgbook.place_order FROM pgbook_trader",
                "pgbook_trader may not call pgbook.place_order"
            ),
        ] {
            try admin.executeSimple(change)
            let doctor = try Program.run(["doctor"], database: database.url)
            #expect(doctor.output.contains(name), "\(change): \(doctor.output)")
            let serve = try Program.run(["serve", "--port", "0"], database: database.url)
            #expect(serve.status == 3 && serve.errors.contains("run: pgbook migrate"), "\(change): \(serve.errors)")
            let migrate = try Program.run(["migrate"], database: database.url)
            #expect(migrate.status == 0, "\(change): \(migrate.errors)")
            let after = try Program.run(["doctor"], database: database.url)
            #expect(!after.output.contains(name), "\(change): \(after.output)")
        }
        for (change, name) in [
            ("ALTER TABLE pgbook_data.busts SET UNLOGGED", "ALTER TABLE pgbook_data.busts SET LOGGED")
        ] {
            try admin.executeSimple(change)
            let serve = try Program.run(["serve", "--port", "0"], database: database.url)
            #expect(serve.status == 3 && serve.errors.contains(name), "\(change): \(serve.errors)")
        }
    }
}
