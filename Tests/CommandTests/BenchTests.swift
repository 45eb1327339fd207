import Foundation
import Postgres
import TestSupport
import Testing

/// A workload with every kind of message: orders, iocs, a cancel, and modifies that move, trade and come too late.
private let workload = """
    seq,type,side,ioc,qty,order_id,price
    1,0,0,0,10,1,100
    2,0,0,0,10,2,100
    3,0,0,0,5,3,99
    4,0,1,0,7,4,103
    5,2,0,0,12,1,100
    6,0,1,0,15,5,100
    7,0,1,1,20,6,99
    8,1,1,0,0,4,0
    9,1,1,0,0,4,0
    10,0,1,0,9,7,102
    11,0,0,0,4,8,98
    12,2,0,0,6,8,102
    13,2,0,0,6,8,102
    14,0,0,1,9,9,103
    15,0,0,0,3,10,101
    16,0,1,0,8,11,101

    """

@Suite struct BenchTests {
    @Test func `a seed gives the same orders again, and another seed others`() throws {
        let database = try benchDatabase(["naive.sql"])
        let connection = try database.connection()
        func digest(_ options: String...) throws -> String {
            try connection.execute("TRUNCATE naive.flow")
            let load = ["bench", "naive-load", "--flow", "crossing", "--orders", "2000"]
            let result = try Program.run(load + options, database: database.url)
            #expect(result.status == 0, "\(result.errors)")
            return try connection.execute("SELECT md5(string_agg(f::text, ';' ORDER BY position)) FROM naive.flow f")
                .one().decode(at: 0)
        }
        let first = try digest()
        #expect(try digest() == first)
        #expect(try digest("--seed", "2") != first)
    }

    @Test func `in the crossing flow half of the orders trade at once, with two makers each`() throws {
        let database = try benchDatabase(["limit.sql"])
        let report = try bench(["limit", "--flow", "crossing", "--orders", "20000"], database)
        let (orders, takers, trades) = (try int(report, "orders"), try int(report, "takers"), try int(report, "trades"))
        #expect(orders == 20_000)
        #expect((45...55).contains(takers * 100 / orders), "\(takers) takers")
        #expect((195...220).contains(trades * 100 / takers), "\(trades) trades of \(takers) takers")
        let resting: Int64 = try database.connection().execute(
            """
            SELECT (SELECT count(*) FROM pgbook_bench.commands WHERE remaining > 0)
                 - (SELECT count(DISTINCT id) FROM pgbook_bench.closed)
            """
        ).one().decode(at: 0)
        #expect((60...400).contains(resting), "\(resting) rest at the end")
    }

    @Test(arguments: [["--flow", "crossing"], ["--flow", "many"], ["--flow", "deep", "--resting", "300"]])
    func `pgbook and the limit do the same, and verify agrees`(flow: [String]) throws {
        let database = try benchDatabase(["limit.sql"])
        let options = flow + ["--orders", "600", "--batch", "100"]
        let pgbook = try bench(["pgbook", "--verify"] + options, database)
        let limit = try bench(["limit"] + options, database)
        #expect(pgbook["verified"] as? Bool == true)
        for count in ["orders", "trades", "takers", "refused"] {
            #expect(try int(pgbook, count) == int(limit, count), "\(count)")
        }
        let stored: Int64 = try database.connection().execute("SELECT count(*) FROM pgbook_bench.trades").one()
            .decode(at: 0)
        #expect(stored == Int64(try int(limit, "trades")))
        #expect(try int(pgbook, "p50_us") > 0)
        #expect(try int(pgbook, "wal_bytes") > 0)
    }

    @Test func `the naive matcher gives pgbook's trades for crossing orders`() throws {
        try expectSameTrades(["--flow", "crossing", "--orders", "800"])
    }

    @Test func `the naive matcher gives pgbook's trades for iocs, cancels and modifies`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "pgbook-bench-\(UUID()).csv")
        try Data(workload.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        try expectSameTrades(["--flow", "normal", "--file", file.path])
    }

    @Test func `the naive matcher gives pgbook's trades for a published workload`() throws {
        guard let file = SharedData.file("conformance/swing-25_n5000_s23.csv") else { return }
        try expectSameTrades(["--flow", "normal", "--orders", "4000", "--file", file.path])
    }

    @Test(arguments: [
        (["--flow", "crossing", "--file", "x"], "takes no --file"), (["--flow", "normal"], "needs --file"),
        (["--flow", "crossing", "--batch", "0"], "--batch 0 is not within"),
    ])
    func `options that do not fit are refused`(options: [String], complaint: String) throws {
        let result = try Program.run(["bench", "pgbook"] + options)
        #expect(result.status == 2)
        #expect(result.errors.contains(complaint), "\(result.errors)")
    }
}

private func expectSameTrades(_ flow: [String]) throws {
    let database = try benchDatabase(["naive.sql"])
    let report = try bench(["pgbook", "--batch", "50"] + flow, database)
    let load = try Program.run(["bench", "naive-load"] + flow, database: database.url)
    #expect(load.status == 0, "\(load.errors)")
    let connection = try database.connection()
    try connection.execute("SELECT naive.step(position) FROM (SELECT position FROM naive.flow ORDER BY position) f")
    // The last twelve digits of the ids of a run are a counter.
    let rows = try connection.execute(
        """
        SELECT (SELECT count(*) FROM naive.trades),
               (SELECT array_agg(concat_ws(' ', taker_order, maker_order, price, amount) ORDER BY trade_id)
                FROM naive.trades)
               IS NOT DISTINCT FROM
               (SELECT array_agg(concat_ws(' ', ('x' || right(taker_order::text, 12))::bit(48)::bigint,
                                           ('x' || right(maker_order::text, 12))::bit(48)::bigint, price, amount)
                                 ORDER BY trade_id)
                FROM pgbook_data.trades)
        """)
    let count: Int64 = try rows.one().decode(at: 0)
    #expect(count > 3)
    #expect(count == Int64(try int(report, "trades")))
    #expect(try rows.one().decode(Bool.self, at: 1), "the trades differ")
}

/// A database on which scripts of sql/bench were run.
private func benchDatabase(_ scripts: [String]) throws -> TestDatabase {
    let folder = SharedData.repository.appending(path: "sql/bench")
    let database = try TestDatabase()
    for script in scripts {
        try database.connection().executeSimple(String(contentsOf: folder.appending(path: script), encoding: .utf8))
    }
    return database
}

private func bench(_ arguments: [String], _ database: TestDatabase) throws -> [String: Any] {
    let result = try Program.run(["bench"] + arguments + ["--json"], database: database.url)
    try #require(result.status == 0, "\(result.errors)")
    return try result.json()
}

private func int(_ report: [String: Any], _ name: String) throws -> Int {
    try #require(report[name] as? Int, "\(name) in \(report)")
}
