import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct ExportCommandTests {
    private func database(trades: Int) throws -> TestDatabase {
        let database = try TestDatabase()
        try database.addMarket("BTC-USD")
        try database.connection().executeSimple(
            """
            INSERT INTO pgbook_data.trades (time, trade_id, price, amount, market, taker_side)
            SELECT '2026-01-01'::timestamptz + n * interval '1 ms', n, 200 + n % 7, 1 + n % 5, market, n % 2
            FROM generate_series(1, \(trades)) n, pgbook_data.markets;
            INSERT INTO pgbook_data.candles_1m
            SELECT date_trunc('minute', time), first(price, trade_id), max(price), min(price), last(price, trade_id),
                   count(*), min(trade_id), max(trade_id), market, sum(amount), sum(amount::numeric * price), 0, 0
            FROM pgbook_data.trades GROUP BY market, 1;
            """)
        return database
    }

    @Test func `trades go to standard output unless told otherwise`() throws {
        let database = try database(trades: 2)
        let result = try Program.run(["export", "trades", "--time", "ms"], database: database.url(as: .reader))
        #expect(result.status == 0, "\(result.errors)")
        #expect(
            result.lines == [
                "trade_id,time,symbol,price,amount,quote_amount,taker_side,maker_order_id,taker_order_id",
                "1,1767225600001,BTC-USD,100.5,0.002,0.201,ask,,", "2,1767225600002,BTC-USD,101,0.003,0.303,bid,,",
            ])
    }

    @Test func `trades without users and orders are listed as well`() throws {
        let database = try database(trades: 2)
        let url = try database.url(as: .reader)
        let table = try Program.run(["trades", "BTC-USD"], database: url)
        #expect(table.status == 0, "\(table.errors)")
        #expect(table.lines.count == 3)
        let json = try Program.run(["trades", "BTC-USD", "--json"], database: url)
        #expect(
            json.output.contains(#""user_id":null"#) && json.output.contains(#""taker_order":null"#), "\(json.output)")
    }

    @Test func `a reader of standard output that leaves ends it without a word`() throws {
        let database = try database(trades: 60_000)
        let shell = Process()
        let pipe = (output: Pipe(), errors: Pipe())
        shell.executableURL = URL(filePath: "/bin/bash")
        shell.arguments = ["-c", "'\(Program.url.path)' export trades | head -n 2; echo ${PIPESTATUS[0]}"]
        shell.environment = ["DATABASE_URL": database.url, "PATH": "/usr/bin:/bin"]
        shell.standardOutput = pipe.output
        shell.standardError = pipe.errors
        try shell.run()
        let output = String(decoding: try pipe.output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        #expect(output.split(separator: "\n").last == "0", "\(output)")
        #expect(try pipe.errors.fileHandleForReading.readToEnd() ?? Data() == Data())
    }

    @Test func `Ctrl-C ends an export that waits, and leaves no file`() async throws {
        let database = try database(trades: 10)
        let holder = try database.connection()
        try holder.executeSimple("BEGIN; LOCK TABLE pgbook_data.trades IN ACCESS EXCLUSIVE MODE")
        let folder = FileManager.default.temporaryDirectory.appending(path: "pgbook-export-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "trades.csv").path
        let program = try RunningProgram(["export", "trades", "-o", file], database: database.url)
        let watcher = try database.connection()
        try await eventually("it waits for the lock") {
            try watcher.execute("SELECT FROM pg_locks WHERE NOT granted AND relation = 'pgbook_data.trades'::regclass")
                .count > 0
        }
        program.signal(SIGINT)
        let result = try program.result()
        #expect(result.status == 130, "\(result.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        try holder.executeSimple("ROLLBACK")
    }

    @Test func `orders are exported with the columns of their view`() throws {
        let database = try database(trades: 1)
        try database.connection().executeSimple(
            """
            SELECT pgbook.place_order('BTC-USD', 'bid', 0.25, 101.5, client_order_id => 'a "quoted", one');
            SELECT pgbook.place_order('BTC-USD', 'ask', 1, 102);
            """)
        let columns = "type,amount,price,security,status,remaining,client_order_id,seq"
        func export(_ arguments: String...) throws -> Program.Result {
            try Program.run(
                ["export", "orders", "--columns", columns] + arguments, database: database.url(as: .reader))
        }
        let lines = ["bid,0.25,101.5,BTC-USD,pending,0.25,\"a \"\"quoted\"\", one\",", "ask,1,102,BTC-USD,pending,1,,"]
        #expect(try export().lines == [columns] + lines)
        #expect(try export("BTC-USD", "--order", "desc").lines == [columns] + lines.reversed())
        #expect(try export("--from", "2100-01-01").lines == [columns])
        let objects = try export("--format", "json").json(as: [[String: Any]].self)
        #expect(objects.count == 2 && objects[0]["client_order_id"] as? String == "a \"quoted\", one")
        #expect(
            try Program.run(["export", "orders"], database: database.url).lines.first?.hasPrefix("id,time,user_id")
                == true)
    }

    @Test(arguments: [
        (["--format", "binance"], "a format of candles"), (["--format", "xml"], "unknown"),
        (["--columns", "time,nothing"], "--columns has 'nothing'"), (["--columns", "time,time"], "time twice"),
        (["--time", "nonsense"], "--time 'nonsense'"), (["--from", "yesterday"], "--from 'yesterday' is not a time"),
        (["--split", "day"], "name them with -o"), (["--split", "week", "-o", "x"], "neither day nor month"),
        (["--manifest"], "give one with -o FILE"), (["--order", "up"], "neither asc nor desc"),
    ])
    func `what cannot be meant is refused in one line`(arguments: [String], message: String) throws {
        let database = try TestDatabase()
        let result = try Program.run(["export", "trades"] + arguments, database: database.url)
        #expect(result.status == 2)
        #expect(result.errors.contains(message) && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }
}
