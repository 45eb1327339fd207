import Postgres
import Testing

@Suite struct PipelineTests {
    let connection: Connection

    init() throws {
        connection = try TestServer.connect()
        try connection.executeSimple("CREATE TEMP TABLE entries (id bigint PRIMARY KEY)")
    }

    private func entryCount() throws -> Int64 {
        try connection.execute("SELECT count(*) FROM entries")[0].decode(Int64.self, at: 0)
    }

    @Test func `results come in the order of the statements`() throws {
        let results = try connection.pipeline { pipeline in
            for n in 0..<100 {
                let place = try pipeline.send("SELECT $1::bigint * 2", Int64(n))
                #expect(place == n)
            }
        }
        #expect(try results.map { try $0[0].decode(Int64.self, at: 0) } == (0..<100).map { $0 * 2 })
    }

    @Test func `a pipeline that was started is finished later, and commits at its end`() throws {
        let other = try TestServer.connect()
        try other.executeSimple("CREATE TABLE IF NOT EXISTS started_pipelines (id bigint)")
        let before = try other.execute("SELECT count(*) FROM started_pipelines").one().decode(Int64.self, at: 0)
        try connection.startPipeline { pipeline in
            try pipeline.send("INSERT INTO started_pipelines VALUES ($1)", Int64(1))
            try pipeline.send("SELECT 7::bigint")
            try pipeline.commitAtEnd()
        }
        // Nothing else may come between.
        #expect(throws: PostgresError.self) { try connection.pipeline { try $0.send("SELECT 1") } }
        #expect(try connection.finishPipeline()[1].one().decode(Int64.self, at: 0) == 7)
        #expect(
            try other.execute("SELECT count(*) FROM started_pipelines").one().decode(Int64.self, at: 0) == before + 1)
        #expect(throws: PostgresError.self) { try connection.finishPipeline() }
        try other.executeSimple("DROP TABLE started_pipelines")
    }

    @Test func `rows of a composite type arrive as they were written`() throws {
        try connection.executeSimple("CREATE TYPE pg_temp.pair AS (name text, number bigint)")
        try connection.recordType("pg_temp.pair")
        let pairs: [(String?, Int64)] = [("a", 1), (nil, 2), ("", .min)]
        let results = try connection.pipeline { pipeline in
            let records = PostgresRecords(pipeline.recordType("pg_temp.pair"), count: pairs.count, columnCount: 2) {
                $1.writeRecordField(pairs[$0].0)
                $1.writeRecordField(pairs[$0].1)
            }
            try pipeline.send("SELECT name, number FROM unnest($1::pg_temp.pair[])", records)
        }
        #expect(try results[0].map { try $0.decode(String?.self, at: 0) } == pairs.map(\.0))
        #expect(try results[0].map { try $0.decode(Int64.self, at: 1) } == pairs.map(\.1))
    }

    @Test func `an error leaves nothing of the pipeline, and names its statement`() throws {
        let error = #expect(throws: PostgresError.self) {
            try connection.pipeline { pipeline in
                for id in [1, 2, 1, 3] {
                    try pipeline.send("-- name: add_entry\nINSERT INTO entries VALUES ($1)", Int64(id))
                }
                try pipeline.send("SELECT 'never prepared'")
            }
        }
        #expect(error?.sqlState == .uniqueViolation)
        #expect(error?.statementIndex == 2)
        #expect(error?.query == "add_entry")
        #expect(try entryCount() == 0)
        // What was skipped is prepared afresh.
        #expect(try connection.execute("SELECT 'never prepared'").count == 1)
    }

    @Test func `a statement that cannot be prepared is named`() throws {
        let error = #expect(throws: PostgresError.self) {
            try connection.pipeline { pipeline in
                try pipeline.send("SELECT 1")
                try pipeline.send("SELECT no_such_column")
            }
        }
        #expect(error?.sqlState == .undefinedColumn)
        #expect(error?.statementIndex == 1)
    }

    @Test func `a pipeline holds a whole transaction`() throws {
        try connection.pipeline { pipeline in
            try pipeline.begin()
            try pipeline.send("INSERT INTO entries VALUES (1)")
            try pipeline.commit()
        }
        #expect(try entryCount() == 1)
        #expect(connection.transactionStatus == .idle)
        #expect(throws: PostgresError.self) {
            try connection.pipeline { pipeline in
                try pipeline.begin()
                try pipeline.send("INSERT INTO entries VALUES (2)")
                try pipeline.send("SELECT 1/0")
                try pipeline.commit()
            }
        }
        #expect(connection.transactionStatus == .idle)
        #expect(try entryCount() == 1)
    }

    @Test func `a body that throws leaves nothing`() throws {
        struct Stop: Error {}
        for explicit in [false, true] {
            #expect(throws: Stop.self) {
                try connection.pipeline { pipeline in
                    if explicit { try pipeline.begin() }
                    try pipeline.send("INSERT INTO entries VALUES (7)")
                    throw Stop()
                }
            }
            #expect(connection.transactionStatus == .idle)
            #expect(try entryCount() == 0)
        }
    }

    @Test func `an error inside a transaction's pipeline rolls the transaction back`() throws {
        #expect(throws: PostgresError.self) {
            try connection.transaction { connection in
                try connection.execute("INSERT INTO entries VALUES (1)")
                try connection.pipeline { pipeline in
                    try pipeline.send("INSERT INTO entries VALUES (2)")
                    try pipeline.send("INSERT INTO entries VALUES (1)")
                }
            }
        }
        #expect(try entryCount() == 0)
    }

    @Test func `a transaction may end in a pipeline`() throws {
        try connection.transaction { connection in
            try connection.execute("INSERT INTO entries VALUES (1)")
            try connection.pipeline { pipeline in
                try pipeline.send("INSERT INTO entries VALUES (2)")
                try pipeline.commit()
            }
        }
        #expect(try entryCount() == 2)
    }

    @Test func `20,000 statements with large parameters and results do not deadlock`() throws {
        let payload = [UInt8](repeating: 7, count: 2_000)
        let results = try connection.pipeline { pipeline in
            for _ in 0..<20_000 { try pipeline.send("SELECT $1::bytea", payload) }
        }
        #expect(results.count == 20_000)
        #expect(try results.allSatisfy { try $0[0].decode([UInt8].self, at: 0) == payload })
        #expect(connection.transactionStatus == .idle)
    }

    @Test func `an empty pipeline is nothing`() throws {
        #expect(try connection.pipeline { _ in }.isEmpty)
    }

    @Test func `other calls inside a pipeline are wrong use`() throws {
        let error = #expect(throws: PostgresError.self) {
            try connection.pipeline { pipeline in
                try pipeline.send("SELECT 1")
                try connection.execute("SELECT 'outside'")
            }
        }
        #expect(error?.kind == .usage)
        #expect(try connection.execute("SELECT 1").count == 1)
    }
}
