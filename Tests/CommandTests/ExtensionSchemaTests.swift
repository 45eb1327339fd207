import Foundation
import Postgres
import TestSupport
import Testing

/// Where people keep extensions: what is done to an empty database, and where TimescaleDB lies in the end.
private let places = [
    ("CREATE SCHEMA ts; CREATE EXTENSION timescaledb SCHEMA ts", "ts"),
    (
        "CREATE SCHEMA ts; CREATE EXTENSION timescaledb SCHEMA ts; "
            + "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = \"$user\", public, ts', current_database()); END $$",
        "ts"
    ),
    (
        "CREATE SCHEMA app; "
            + "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app, public', current_database()); END $$",
        "public"
    ),
    ("DROP SCHEMA public", "timescaledb"),
    ("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = ''''', current_database()); END $$", "public"),
    ("CREATE SCHEMA \"My Extensions\"; CREATE EXTENSION timescaledb SCHEMA \"My Extensions\"", "My Extensions"),
    ("REVOKE ALL ON SCHEMA public FROM public", "public"),
]

@Suite struct ExtensionSchemaTests {
    @Test(arguments: places) func `everything works wherever TimescaleDB lies`(setup: String, place: String)
        async throws
    {
        // The first migrated database makes the logins.
        _ = try TestDatabase()
        let database = try TestDatabase(migrated: false)
        try database.connection().executeSimple(setup)
        func pgbook(_ command: String..., input: String = "") throws -> Program.Result {
            let result = try Program.run(command, database: database.url, input: input)
            #expect(result.status == 0, "\(command): \(result.errors)\(result.output)")
            return result
        }
        _ = try pgbook("migrate")
        #expect(try Program.run(["migrate"], database: database.url).output.contains("up to date"))
        let schema = try database.connection().execute(
            "SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'timescaledb'")
        #expect(try schema.one().decode(String.self, at: 0).filter { $0 != "\"" } == place)
        _ = try pgbook("market", "add", "M", "--tick", "0.01", "--lot", "1")
        try await withMatcher(database) {
            _ = try pgbook("place", "buy", "2", "M", "--price", "7")
            _ = try pgbook("place", "sell", "2", "M", "--price", "7")
        }
        #expect(try pgbook("candles", "M", "--interval", "1h").output.contains("7"))
        // Closed hours and days, drops and busts are the functions that lean on TimescaleDB.
        let rows =
            "time,price,amount,taker_side,trade_id\n2024-01-01T10:00:00Z,5,1,buy,1\n"
            + "2024-01-01T10:00:30Z,6,1,sell,2\n2024-01-03T11:00:00Z,8,1,sell,3\n"
        _ = try pgbook("import", "trades", "-", "--security", "OLD", "--tick", "1", "--lot", "1", input: rows)
        let day = try pgbook(
            "candles", "OLD", "--interval", "1d", "--from", "2024-01-01", "--to", "2024-01-02", "--json")
        #expect(day.output.contains("\"open\":5") || day.output.contains("\"open\":\"5\""), "\(day.output)")
        #expect(day.output.contains("\"close\":6") || day.output.contains("\"close\":\"6\""), "\(day.output)")
        _ = try pgbook("candles", "rebuild")
        _ = try pgbook("bust", "1", "--market", "M", "--reason", "x")
        _ = try pgbook("candles", "verify")
        _ = try pgbook("verify")
        _ = try pgbook("retention", "--chunk", "2d")
        _ = try pgbook("retention", "--keep", "30d")
        #expect(try pgbook("trades", "OLD", "--json").output.contains("[]"))
        let doctor = try Program.run(["doctor", "--json"], database: database.url)
        let faults = try doctor.json(as: [String: Any].self)["faults"] as? [String]
        #expect(faults?.filter { !$0.contains("fsync") && !$0.contains("full_page_writes") } == [], "\(doctor.output)")
    }
}
