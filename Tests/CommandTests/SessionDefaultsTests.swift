import Foundation
import Postgres
import Store
import TestSupport
import Testing

/// Everything at once that can be set on a role, as far as it does not exclude each other.
private let hostile = [
    ("default_transaction_isolation", "serializable"), ("default_transaction_read_only", "on"),
    ("default_transaction_deferrable", "on"), ("statement_timeout", "2s"), ("lock_timeout", "1ms"),
    ("idle_in_transaction_session_timeout", "1ms"), ("idle_session_timeout", "1s"), ("transaction_timeout", "2s"),
    ("DateStyle", "German, DMY"), ("IntervalStyle", "sql_standard"), ("TimeZone", "Asia/Kathmandu"),
    ("extra_float_digits", "-15"), ("standard_conforming_strings", "off"), ("bytea_output", "escape"),
    ("search_path", "nowhere"), ("row_security", "off"), ("synchronous_commit", "off"),
    ("client_min_messages", "error"),
    ("transform_null_equals", "on"), ("plan_cache_mode", "force_custom_plan"), ("constraint_exclusion", "on"),
    ("exit_on_error", "on"), ("array_nulls", "off"), ("quote_all_identifiers", "on"), ("enable_indexscan", "off"),
    ("enable_nestloop", "off"), ("join_collapse_limit", "1"), ("debug_parallel_query", "regress"),
    ("restrict_nonsystem_relation_kind", "view"), ("plpgsql.extra_errors", "all"),
]

private let reading = [
    ["market", "list", "--json"], ["book", "M"], ["orders", "--all", "--json"], ["trades", "M", "--json"],
    ["candles", "M", "--interval", "1d", "--tz", "Europe/Berlin"], ["candles", "M", "--interval", "1m", "--json"],
    ["candles", "verify"], ["verify"], ["verify", "--json"], ["stats", "vwap", "M", "--by", "1d", "--format", "csv"],
    ["stats", "sizes", "M", "--format", "csv"], ["export", "trades", "M"], ["migrate", "--status", "--json"],
    ["order", "--client-order-id", "first", "--user", "ann", "--json"],
]

@Suite struct SessionDefaultsTests {
    @Test func `under a role with every setting at once all commands do and say what they do under any other`()
        async throws
    {
        let database = try TestDatabase()
        let role = try SettingRole(hostile)
        let url = try role.url(database)
        let plain = try database.url(as: .node)
        func pgbook(_ command: String..., input: String = "") throws -> Program.Result {
            let result = try Program.run(command, database: url, input: input)
            #expect(result.status == 0, "\(command): \(result.errors)\(result.output)")
            return result
        }
        _ = try pgbook("market", "add", "M", "--tick", "0.01", "--lot", "1")
        let serve = try RunningProgram(["serve", "--port", "0"], database: url)
        _ = try pgbook("place", "buy", "3", "M", "--price", "7", "--client-order-id", "first", "--user", "ann")
        _ = try pgbook("place", "sell", "2", "M", "--price", "6.5", "--user", "bob")
        // Longer than a session may be idle.
        let shell = try pgbook("shell", input: "buy 1 @ 5\nsell 1 @ 9\n")
        #expect(shell.output.contains("5"))
        _ = try pgbook(
            "import", "trades", "-", "--security", "OLD", "--tick", "1", "--lot", "1",
            input:
                "time,price,amount,taker_side,trade_id\n2024-01-01T10:00:00Z,5,1,buy,1\n2024-01-02T10:00:00Z,6,1,buy,2\n"
        )
        _ = try pgbook("candles", "rebuild")
        _ = try pgbook("bust", "1", "--market", "OLD", "--reason", "x")
        // How long it took is another thing each time.
        let seconds = /in \d+\.\d+ s/
        for command in reading {
            let said = try Program.run(command, database: url)
            let right = try Program.run(command, database: plain)
            #expect(said.status == right.status, "\(command): \(said.errors)")
            #expect(
                said.output.replacing(seconds, with: "") == right.output.replacing(seconds, with: "")
                    && said.status == 0,
                "\(command): \(said.errors)")
        }
        let text = "select now() - now() as nothing, 0.1::float8 as f, time, '\\x41'::bytea as b from trades"
        let query = try Program.run(["query", "-", "--format", "csv"], database: url, input: text)
        let right = try Program.run(["query", "-", "--format", "csv"], database: plain, input: text)
        #expect(query.output == right.output && query.status == 0, "\(query.errors)")
        let frames = try pgbook("watch", "M", "--frames", "1")
        #expect(frames.output.contains("7"))
        // It still executes after all that time.
        _ = try pgbook("place", "buy", "1", "M", "--price", "4", "--user", "ann")
        serve.signal(SIGTERM)
        let ended = try serve.result()
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(!ended.errors.contains("warning") && !ended.errors.contains("error"), "\(ended.errors)")

        let doctor = try Program.run(["doctor", "--json"], database: url)
        let remarks = try #require(try doctor.json(as: [String: Any].self)["remarks"] as? [String])
        for setting in [
            "synchronous_commit is off", "default_transaction_read_only is on", "statement_timeout is 2000ms",
        ] {
            let remark = remarks.first { $0.hasPrefix(setting) }
            #expect(remark?.contains("by role \(role.name); pgbook's own sessions set it to") == true, "\(remarks)")
        }
    }

    @Test(arguments: ["serializable", "repeatable read"])
    func `orders that many give at once are taken in and executed, whatever the isolation of the role`(level: String)
        async throws
    {
        let database = try TestDatabase()
        try database.addMarket("M", tick: "1", lot: "1")
        let role = try SettingRole([("default_transaction_isolation", level)])
        let serve = try RunningProgram(["serve", "--roles", "matcher"], database: role.url(database))
        let shells = try (0..<3).map { number in
            let lines = (0..<20).map { $0 % 2 == 0 ? "buy 1 @ 100" : "sell 1 @ 100" }.joined(separator: "\n")
            return try RunningProgram(
                ["shell", "--user", "u\(number)"], database: role.url(database), input: lines + "\n")
        }
        for shell in shells {
            let result = try shell.result()
            #expect(result.status == 0, "\(result.errors)\(result.output)")
        }
        let executed = try database.connection().execute("SELECT count(*) FROM pgbook.commands WHERE seq IS NOT NULL")
        #expect(try executed.one().decode(Int64.self, at: 0) == 60)
        serve.signal(SIGTERM)
        let ended = try serve.result()
        #expect(ended.status == 0 && !ended.errors.contains("serialize"), "\(ended.errors)")
        #expect(try Program.run(["verify"], database: role.url(database)).status == 0)
    }
}
