import Postgres
import Testing

@Suite struct StatementTests {
    let connection: Connection

    init() throws { connection = try TestServer.connect() }

    @Test func `an error carries everything the server said`() throws {
        try connection.executeSimple(
            "CREATE TEMP TABLE books (id bigint CONSTRAINT books_id_unique UNIQUE, CHECK (id > 0))")
        try connection.execute("INSERT INTO books VALUES ($1)", Int64(1))
        let error = #expect(throws: PostgresError.self) {
            try connection.execute("-- name: insert_book\nINSERT INTO books VALUES ($1)", Int64(1))
        }
        #expect(error?.kind == .server)
        #expect(error?.sqlState == .uniqueViolation)
        #expect(error?.constraint == "books_id_unique")
        #expect(error?.table == "books")
        #expect(error?.query == "insert_book")
        #expect(error?.detail == "Key (id)=(1) already exists.")
        #expect(error?.description.contains("\n") == false)
        #expect(error?.isConnectionLost == false)
    }

    @Test func `raise exception brings its hint and its code`() throws {
        let error = #expect(throws: PostgresError.self) {
            try connection.executeSimple(
                "DO $$ BEGIN RAISE EXCEPTION 'off tick' USING HINT = 'use 0.01', ERRCODE = 'P0001'; END $$")
        }
        #expect(error?.sqlState == .raiseException)
        #expect(error?.message == "off tick")
        #expect(error?.hint == "use 0.01")
    }

    @Test func `a script of several statements is all or nothing`() throws {
        try connection.executeSimple(
            "CREATE TEMP TABLE steps (n int); INSERT INTO steps VALUES (1), (2); SELECT * FROM steps;")
        #expect(throws: PostgresError.self) {
            try connection.executeSimple("INSERT INTO steps VALUES (3); SELECT 1/0;")
        }
        #expect(try connection.execute("SELECT count(*) FROM steps")[0].decode(Int64.self, at: 0) == 2)
        try connection.executeSimple("")
    }

    @Test func `a statement is prepared once per text and parameter types`() throws {
        for _ in 0..<3 { try connection.execute("SELECT $1::bigint + 1", Int64(1)) }
        try connection.execute("SELECT $1::bigint + 1", Int32(1))
        try connection.execute("SELECT $1::bigint + 1", "1")
        let prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1::bigint + 1'"
        #expect(try connection.execute(prepared)[0].decode(Int64.self, at: 0) == 1)
    }

    @Test func `the prepared statements of a connection are bounded, on the server too`() throws {
        for n in 0..<PostgresLimits.preparedStatementsMax * 2 { try connection.execute("SELECT \(n)") }
        try connection.pipeline { pipeline in
            for n in 0..<PostgresLimits.preparedStatementsMax * 2 { try pipeline.send("SELECT -\(n)") }
        }
        try connection.execute("SELECT 'close what is left over'")
        let count = try connection.execute("SELECT count(*) FROM pg_prepared_statements")[0].decode(Int64.self, at: 0)
        #expect(count <= Int64(PostgresLimits.preparedStatementsMax) + 1)
        #expect(count > 1)
    }

    @Test func `a statement is prepared again when its table changed or it was deallocated`() throws {
        try connection.executeSimple("CREATE TEMP TABLE shape (a int)")
        try connection.execute("SELECT * FROM shape")
        try connection.executeSimple("ALTER TABLE shape ADD b int")
        #expect(try connection.execute("SELECT * FROM shape").columnNames == ["a", "b"])
        try connection.executeSimple("DEALLOCATE ALL")
        #expect(try connection.execute("SELECT * FROM shape").columnCount == 2)
    }

    @Test func `rows stream one by one`() throws {
        var sum: Int64 = 0
        let count = try connection.stream("SELECT n, repeat('x', 100) FROM generate_series(1, $1) n", Int64(100_000)) {
            row in
            sum += try row.decode(Int64.self, at: 0)
        }
        #expect(count == 100_000)
        #expect(sum == 5_000_050_000)
    }

    @Test func `a stream that is broken off leaves the connection usable`() throws {
        struct Enough: Error {}
        #expect(throws: Enough.self) {
            try connection.stream("SELECT n FROM generate_series(1, 10000000) n") { row in
                if try row.decode(Int64.self, at: 0) == 10 { throw Enough() }
            }
        }
        #expect(try connection.execute("SELECT 1").count == 1)
    }

    @Test func `an error after some rows of a stream is thrown`() throws {
        var seen = 0
        let error = #expect(throws: PostgresError.self) {
            try connection.stream("SELECT 1 / (5 - n) FROM generate_series(1, 10) n") { _ in seen += 1 }
        }
        #expect(error?.sqlState == SQLState("22012"))
        #expect(try connection.execute("SELECT 1").count == 1)
    }

    @Test func `another statement inside a stream is wrong use`() throws {
        #expect(throws: PostgresError.self) {
            try connection.stream("SELECT n FROM generate_series(1, 100000) n") { _ in
                try connection.execute("SELECT 'inside'")
            }
        }
        #expect(try connection.execute("SELECT 1").count == 1)
    }

    @Test func `affected rows and command tags are told`() throws {
        try connection.executeSimple("CREATE TEMP TABLE touched (a int)")
        let inserted = try connection.execute("INSERT INTO touched SELECT generate_series(1, 5)")
        #expect(inserted.affectedCount == 5)
        #expect(inserted.commandTag == "INSERT 0 5")
        #expect(throws: PostgresError.self) { try connection.execute("SELECT a FROM touched").one() }
    }

    @Test func `settings are set before the first statement`() throws {
        let other = try Connection(
            TestServer.configuration(settings: ["statement_timeout": "12s", "search_path": "pg_catalog"]))
        #expect(try other.execute("SHOW statement_timeout")[0].decode(String.self, at: 0) == "12s")
        let error = #expect(throws: PostgresError.self) {
            try Connection(TestServer.configuration(settings: ["no_such": "1"]))
        }
        #expect(error?.kind == .connectFailed)
    }

    @Test func `no server is a typed error`() throws {
        let error = #expect(throws: PostgresError.self) {
            try Connection(ConnectionConfiguration("host=/nonexistent port=1"))
        }
        #expect(error?.kind == .connectFailed)
        #expect(error?.description.contains("\n") == false)
    }
}
