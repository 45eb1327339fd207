import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct QueryTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private func query(_ text: String, _ options: String...) throws -> Program.Result {
        try Program.run(["query", "-"] + options, database: database.url, input: text)
    }

    @Test func `values of any type come out as csv, json and a table`() throws {
        let text = """
            select 1.50::numeric as n, 9223372036854775807 as i, true as b, null::text as nothing, '' as empty,
                   E'a "b",\\nc' as t, timestamptz '2026-01-01 12:00:00.5+02' as at, 'NaN'::numeric as nan,
                   '{"a": [1]}'::jsonb as j, array[1, 2] as a, interval '90 minutes' as s
            """
        #expect(
            try query(text, "--format", "csv").output == """
                n,i,b,nothing,empty,t,at,nan,j,a,s
                1.50,9223372036854775807,true,,"","a ""b"",
                c",2026-01-01T10:00:00.5Z,NaN,"{""a"": [1]}","{1,2}",01:30:00

                """)
        #expect(
            try query(text, "--format", "json").output == #"""
                [
                {"n":1.50,"i":9223372036854775807,"b":true,"nothing":null,"empty":"","t":"a \"b\",\nc","at":"2026-01-01T10:00:00.5Z","nan":"NaN","j":{"a": [1]},"a":"{1,2}","s":"01:30:00"}
                ]

                """#)
        #expect(try query("select 1 as a, 'x' as b").output == "a  b\n1  x\n")
        #expect(try query("select 1 as a where false").output == "no rows\n")
    }

    @Test(arguments: [
        "create table t (a int)", "insert into pgbook_data.node (name) values ('x')",
        "select pgbook.add_market('X', 1, 1)", "set transaction read write",
        "do $$ begin set transaction read write; create table t (a int); end $$",
        "do $$ begin perform set_config('transaction_read_only', 'off', true); create table t (a int); end $$",
        "do $$ begin commit; create table t (a int); end $$", "commit; create table t (a int)",
        "select 1; create table t (a int)", "with x as (delete from pgbook_data.node returning 1) select * from x",
        "copy (select 1) to program 'true'", "copy (select 1) to stdout",
    ])
    func `nothing can be written, and the refusal is one line`(text: String) throws {
        let result = try query(text)
        #expect(result.status == 1, "\(text): \(result.output)\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
        let connection = try database.connection()
        #expect(try connection.execute("SELECT to_regclass('public.t') IS NULL").one().decode(at: 0) == true)
        #expect(try connection.execute("SELECT count(*) FROM pgbook_data.node").one().decode(at: 0) == Int64(1))
    }

    @Test func `a fault is told with its place`() throws {
        let result = try query("select 1,\n       x\nfrom trades")
        #expect(result.status == 1)
        #expect(result.errors == "pgbook: line 2, column 8: column \"x\" does not exist\n")
    }

    @Test func `a statement that takes too long is ended`() throws {
        let result = try query("select pg_sleep(60)", "--timeout", "100ms")
        #expect(result.status == 1)
        #expect(result.errors == "pgbook: not done in 100ms; give it more: --timeout 1s\n")
    }

    @Test func `Ctrl-C ends the statement on the server too`() async throws {
        let running = try RunningProgram(
            ["query", "-", "--timeout", "0"], database: database.url, input: "select pg_sleep(600) /* to be ended */")
        let connection = try database.connection()
        func count() throws -> Int64 {
            try connection.execute(
                """
                SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
                  AND pid <> pg_backend_pid() AND query LIKE '%to be ended%'
                """
            ).one().decode(at: 0)
        }
        try await eventually("it runs") { try count() == 1 }
        running.signal(SIGINT)
        #expect(try running.result().status == 130)
        try await eventually("it has ended") { try count() == 0 }
    }

    @Test func `a table is cut, a stream is not`() throws {
        let text = "select n from generate_series(1, 30000) n"
        let table = try query(text)
        #expect(table.status == 0)
        #expect(table.lines.count == 10_001)
        #expect(table.errors.contains("only the first 10000 rows are shown"))
        #expect(try query(text, "--format", "csv").lines.count == 30_001)
    }

    @Test func `what is no statement is not understood`() throws {
        #expect(try query(" \n").errors.contains("standard input holds no statement"))
        let missing = try Program.run(["query", "/no/such/file.sql"])
        #expect(missing.status == 2)
        #expect(missing.errors == "pgbook: /no/such/file.sql cannot be read: No such file or directory\n")
    }
}

@Suite struct SQLCommandTests {
    @Test func `psql opens the same database with the schema on its path`() throws {
        let database = try TestDatabase()
        try database.addMarket("M")
        guard let programs = TestServer.programs else {
            print("left out 1 case: PGBOOK_TEST_POSTGRES_BIN is not set, so psql may be missing")
            return
        }
        let words = ["sql", "--", "-X", "-A", "-t", "-c", "select security from markets"]
        let found = try Program.run(words, database: database.url, environment: ["PATH": programs])
        #expect(found.output == "M\n", "\(found.errors)")
        #expect(found.status == 0)
    }

    @Test func `psql is found in the private root, gets no password as an argument, and is missed on one line`() throws
    {
        let root = FileManager.default.temporaryDirectory.appending(path: "pgbook-root-\(UUID())")
        let folder = root.appending(path: "usr/lib/postgresql/17/bin")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        let environment = ["PATH": "/nowhere", "PGBOOK_POSTGRES_ROOT": root.path]
        let missed = try Program.run(["sql"], environment: environment)
        #expect(missed.status == 3)
        #expect(missed.errors.hasPrefix("pgbook: psql was not found; install it"))
        #expect(missed.errors.split(separator: "\n").count == 1)
        let program = folder.appending(path: "psql")
        try Data("#!/bin/sh\necho \"$PGOPTIONS|$PGPASSWORD|$*\"\n".utf8).write(to: program)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
        let found = try Program.run(["sql", "--database", "dbname=x", "--", "-l"], environment: environment)
        #expect(found.output == "-c search_path=pgbook,public||--dbname dbname=x -l\n")
        let url = "postgresql://u:se%27cret@h,i:5433/x?sslmode=disable"
        let secret = try Program.run(["sql", "--database", url], environment: environment)
        #expect(
            secret.output
                == "-c search_path=pgbook,public|se'cret|--dbname user='u' dbname='x' host='h,i' port=',5433' sslmode='disable'\n",
            "a password is no argument: everybody can read those")
    }
}
