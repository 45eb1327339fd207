import Foundation
import Postgres
import Store
import TestSupport
import Testing

/// Commands that write, listen or run for ever.
private let refused = [
    ["serve", "--port", "0"], ["serve", "--roles", "matcher"], ["serve", "--roles", "gateway", "--port", "0"],
    ["place", "buy", "1", "M", "--price", "1"], ["cancel-all"], ["market", "add", "X", "--tick", "1", "--lot", "1"],
    ["market", "halt", "M"], ["shell"], ["watch", "M", "--frames", "1"], ["candles", "rebuild"], ["migrate"],
]
/// Commands that read and end.
private let allowed = [
    ["market", "list"], ["book", "M"], ["orders", "--all"], ["trades", "M"], ["candles", "M", "--interval", "1h"],
    ["candles", "verify"], ["verify"], ["stats", "vwap", "M"], ["export", "trades", "M"], ["migrate", "--status"],
    ["order", "--client-order-id", "first"],
]

@Suite(.enabled(if: Pooler.program != nil, "left out: there is no pgbouncer")) struct PoolerTests {
    private let database: TestDatabase

    init() throws {
        database = try TestDatabase()
        try database.addMarket("M", tick: "1", lot: "1")
    }

    /// What strangers of the same pool find on the sessions they are given.
    private func expectNothingLeft(_ pooler: Pooler) throws {
        // All that there are, each held by a transaction.
        let strangers = try (0..<3).map { _ in try pooler.connection(as: .node) }
        for stranger in strangers { try stranger.executeSimple("BEGIN") }
        for stranger in strangers {
            let left = try stranger.execute(
                """
                SELECT name || '=' || setting FROM pg_settings
                WHERE source = 'session' AND name NOT IN
                    ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')
                UNION ALL SELECT 'prepared ' || statement FROM pg_prepared_statements WHERE statement NOT LIKE '%pg_settings%'
                UNION ALL SELECT 'lock ' || objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
                UNION ALL SELECT 'listens ' || pg_listening_channels()
                """
            ).map { try $0.decode(String.self, at: 0) }
            #expect(left == [])
        }
        for stranger in strangers { try stranger.executeSimple("ROLLBACK") }
    }

    @Test(arguments: [Pooler.Mode.transaction, .statement])
    func `what needs a session of its own refuses a pooler that shares sessions, and leaves nothing on them`(
        mode: Pooler.Mode
    ) throws {
        let pooler = try Pooler(database, mode)
        for command in refused {
            let result = try Program.run(command, database: pooler.url())
            #expect(result.status == 3, "\(command): \(result.errors)")
            #expect(result.errors.contains("set pool_mode = session"), "\(command): \(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
        }
        #expect(try database.connection().execute("SELECT FROM pgbook.commands").count == 0)
        if mode == .transaction { try expectNothingLeft(pooler) }
    }

    @Test(arguments: [0, 200])
    func `reading commands say through it what they say without it, and leave nothing`(preparedMax: Int) async throws {
        try await withMatcher(database) {
            for (side, id) in [("buy", "first"), ("sell", "second")] {
                let placed = try Program.run(
                    ["place", side, "1", "M", "--price", "7", "--client-order-id", id], database: database.url)
                #expect(placed.status == 0, "\(placed.errors)")
            }
        }
        let pooler = try Pooler(database, .transaction, preparedMax: preparedMax)
        for command in allowed {
            let direct = try Program.run(command, database: database.url)
            for _ in 0..<2 {
                let pooled = try Program.run(command, database: pooler.url())
                #expect(pooled.status == direct.status, "\(command): \(pooled.errors)")
                // How long it took is another thing each time.
                let seconds = /in \d+\.\d+ s/
                #expect(
                    pooled.output.replacing(seconds, with: "") == direct.output.replacing(seconds, with: ""),
                    "\(command)")
            }
        }
        let query = try Program.run(["query", "-"], database: pooler.url(), input: "select security from markets")
        #expect(query.output == "security\nM\n", "\(query.errors)")
        let doctor = try Program.run(["doctor"], database: pooler.url())
        #expect(doctor.output.contains("pooler"), "\(doctor.output)\(doctor.errors)")
        try expectNothingLeft(pooler)
    }

    @Test func `a pool of one session is told from one that shares by transactions`() throws {
        let shared = try Pooler(database, .transaction, size: 1)
        let refused = try Program.run(["place", "buy", "1", "M", "--price", "1", "--no-wait"], database: shared.url())
        #expect(refused.status == 3 && refused.errors.contains("pool_mode"), "\(refused.errors)")
        let kept = try Pooler(database, .session, size: 1)
        let placed = try Program.run(["place", "buy", "1", "M", "--price", "1", "--no-wait"], database: kept.url())
        #expect(placed.status == 0, "\(placed.errors)")
    }

    @Test func `a pooler that keeps sessions serves as well, and its sessions are reset`() async throws {
        let pooler = try Pooler(database, .session, size: 20)
        let matcher = try RunningProgram(["serve", "--port", "0"], database: pooler.url(as: .node))
        let placed = try Program.run(["place", "buy", "1", "M", "--price", "1"], database: pooler.url(as: .trader))
        #expect(placed.status == 0, "\(placed.errors)")
        matcher.signal(SIGTERM)
        #expect(try matcher.result().status == 0)
        try expectNothingLeft(pooler)
    }

    @Test func `a pool that is too small is named`() throws {
        let pooler = try Pooler(database, .session, size: 1)
        let holder = try pooler.connection()
        try holder.executeSimple("SELECT 1")
        let result = try Program.run(["orders"], database: pooler.url() + " connect_timeout=2")
        #expect(result.status == 3)
        #expect(result.errors.contains("its pool may be too small"), "\(result.errors)")
    }
}
