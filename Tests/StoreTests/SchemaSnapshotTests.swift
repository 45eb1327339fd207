import Foundation
import Postgres
import Store
import TestSupport
import Testing

private let snapshotFile = SharedData.repository.appending(path: "sql/schema.snapshot.sql")

/// What `pg_dump` says of the two schemas, without what differs from server to server and from run to run.
private func dump(_ database: TestDatabase, with programs: String) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: programs).appending(path: "pg_dump")
    process.arguments = [
        "--schema-only", "--schema=pgbook", "--schema=pgbook_data", "--schema=pgbook_schema",
        "--dbname=\(database.url)",
    ]
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw TestFault(
            "pg_dump: " + String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
    }
    var lines: [Substring] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        if ["--", "\\", "SET ", "SELECT pg_catalog.set_config"].contains(where: { line.hasPrefix($0) }) { continue }
        if line.isEmpty, lines.last?.isEmpty ?? true { continue }
        lines.append(line)
    }
    return lines.joined(separator: "\n")
}

/// What TimescaleDB knows of the hypertables, which pg_dump does not show.
private func hypertables(_ connection: Connection) throws -> String {
    let rows = try connection.execute(
        """
        SELECT format('-- hypertable %I.%I by %s, chunks of %s', hypertable_schema, hypertable_name, column_name, time_interval)
        FROM timescaledb_information.dimensions ORDER BY 1
        """)
    return try rows.map { try $0.decode(String.self, at: 0) + "\n" }.joined()
}

@Test func `the schema is the one in sql/schema.snapshot.sql`() throws {
    let database = try TestDatabase()
    let connection = try database.connection()
    let facts = try ServerFacts(connection)
    guard let programs = TestServer.programs, facts.major == 17 else {
        print("left out 1 case: the snapshot is compared with PostgreSQL 17 and PGBOOK_TEST_POSTGRES_BIN only")
        return
    }
    let schema = try dump(database, with: programs) + hypertables(connection)
    if ProcessInfo.processInfo.environment["PGBOOK_WRITE_SNAPSHOT"] != nil {
        try schema.write(to: snapshotFile, atomically: true, encoding: .utf8)
    }
    let snapshot = try String(contentsOf: snapshotFile, encoding: .utf8)
    let (old, new) = (snapshot.split(separator: "\n"), schema.split(separator: "\n"))
    let first = zip(old, new).first { $0 != $1 }
    #expect(
        snapshot == schema,
        """
        the migrations make another schema than sql/schema.snapshot.sql says\
        \(first.map { ", first: '\($0.0)' there, '\($0.1)' made" } ?? "").
        If that is what you want: PGBOOK_WRITE_SNAPSHOT=1 scripts/test --filter SchemaSnapshot, and review the difference
        """)
}

@Test func `everything in the schemas belongs to pgbook_owner, and the public may call nothing`() throws {
    let connection = try TestDatabase().connection()
    let strangers = try connection.execute(
        """
        SELECT format('%s belongs to %s', c.oid::regclass, c.relowner::regrole) FROM pg_class c
        WHERE c.relnamespace::regnamespace::text IN ('pgbook', 'pgbook_data', 'pgbook_schema')
          AND c.relkind <> 'i' AND c.relowner <> 'pgbook_owner'::regrole
        UNION ALL
        SELECT format('%s belongs to %s', p.oid::regprocedure, p.proowner::regrole) FROM pg_proc p
        WHERE p.pronamespace::regnamespace::text IN ('pgbook', 'pgbook_data') AND p.proowner <> 'pgbook_owner'::regrole
        UNION ALL
        SELECT format('the public may call %s', p.oid::regprocedure) FROM pg_proc p
        WHERE p.pronamespace::regnamespace::text IN ('pgbook', 'pgbook_data')
          AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0)
        """)
    #expect(try strangers.map { try $0.decode(String.self, at: 0) } == [])
}
