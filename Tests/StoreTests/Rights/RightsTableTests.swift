import Foundation
import Postgres
import Store
import TestSupport
import Testing

private let tableFile = SharedData.repository.appending(path: "Sources/pgbook/pgbook.docc/RightsTable.md")

/// Who may call and read what: written into a page, and tried.
@Suite struct RightsTableTests {
    private static let logins: [(login: TestServer.Login, role: String)] = [
        (.reader, "pgbook_reader"), (.trader, "pgbook_trader"), (.node, "pgbook_node"),
    ]
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    /// A function or view, and which of the three roles may use it.
    private struct Entry {
        var name: String
        /// A statement that uses it.
        var use: String
        var allowed: [Bool]
    }

    private func entries(_ sql: String) throws -> [Entry] {
        try database.connection().execute(sql).map { row in
            Entry(
                name: try row.decode(at: 0), use: try row.decode(at: 1),
                allowed: [try row.decode(at: 2), try row.decode(at: 3), try row.decode(at: 4)])
        }
    }

    /// Of each role, whether it reaches the schema and has the right.
    private func allowed(_ function: String, _ object: String, _ right: String) -> String {
        Self.logins.map { login in
            "has_schema_privilege('\(login.role)', s.oid, 'usage') AND \(function)('\(login.role)', \(object), '\(right)')"
        }.joined(separator: ", ")
    }

    private func functions() throws -> [Entry] {
        try entries(
            """
            SELECT format('%I.%I(%s)', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
                   format('SELECT %I.%I(%s)', s.nspname, p.proname, (
                       SELECT string_agg(format('%snull::%s', CASE WHEN p.provariadic <> 0 AND n = p.pronargs THEN 'variadic ' END,
                                                format_type(t, null)), ', ' ORDER BY n)
                       FROM unnest(p.proargtypes) WITH ORDINALITY a(t, n) WHERE n <= p.pronargs - p.pronargdefaults)),
                   \(allowed("has_function_privilege", "p.oid", "execute"))
            FROM pg_proc p JOIN pg_namespace s ON s.oid = p.pronamespace
            WHERE s.nspname IN ('pgbook', 'pgbook_data') AND p.prorettype <> 'trigger'::regtype
            ORDER BY s.nspname COLLATE "C", p.proname COLLATE "C", p.pronargs
            """)
    }

    private func relations(_ schema: String) throws -> [Entry] {
        try entries(
            """
            SELECT format('%I.%I', s.nspname, c.relname), format('SELECT * FROM %I.%I LIMIT 0', s.nspname, c.relname),
                   \(allowed("has_table_privilege", "c.oid", "select"))
            FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
            WHERE s.nspname = '\(schema)' AND c.relkind IN ('r', 'v', 'p', 'S')
            ORDER BY c.relname COLLATE "C"
            """)
    }

    private func rows(_ entries: [Entry], _ word: String) -> [String] {
        entries.map { entry in
            "| `\(entry.name)` | " + entry.allowed.map { $0 ? word : "–" }.joined(separator: " | ") + " |"
        }
    }

    private func page() throws -> String {
        let head = ["| | reader | trader | node |", "|---|---|---|---|"]
        let functions = try functions()
        let lines =
            [
                "# Rights, one by one", "", "Every function and view, and who may use it.", "", "## Overview", "",
                "Written by a test from a migrated database, and tried by another: what is refused here is refused there.",
                "<doc:Rights> says why.", "", "### Functions of the public interface", "",
            ] + head + rows(functions.filter { $0.name.hasPrefix("pgbook.") }, "calls")
            + ["", "### Views", ""] + head + rows(try relations("pgbook"), "reads")
            + ["", "### Functions behind it", ""] + head
            + rows(functions.filter { !$0.name.hasPrefix("pgbook.") }, "calls")
            + ["", "### Tables behind it", ""] + head + rows(try relations("pgbook_data"), "reads")
        return lines.joined(separator: "\n") + "\n"
    }

    @Test func `the page of rights says what the database says`() throws {
        let made = try page()
        if ProcessInfo.processInfo.environment["PGBOOK_WRITE_SNAPSHOT"] != nil {
            try made.write(to: tableFile, atomically: true, encoding: .utf8)
        }
        let written = try String(contentsOf: tableFile, encoding: .utf8)
        let first = zip(written.split(separator: "\n"), made.split(separator: "\n")).first { $0 != $1 }
        #expect(
            written == made,
            """
            RightsTable.md is another\(first.map { ", first: '\($0.0)' there, '\($0.1)' made" } ?? "").
            If that is what you want: PGBOOK_WRITE_SNAPSHOT=1 scripts/test --filter RightsTable, and review the difference
            """)
    }

    /// Whether it is refused for want of a right; whatever else becomes of it is undone.
    private func isRefused(_ statement: String, _ connection: Connection) throws -> Bool {
        try connection.executeSimple("BEGIN")
        defer { connection.rollBack() }
        do {
            try connection.executeSimple(statement)
            return false
        } catch {
            return error.isMissingRight
        }
    }

    @Test func `each role is refused what the page says, and nothing else`() throws {
        let entries = try functions() + relations("pgbook") + relations("pgbook_data")
        for (index, login) in Self.logins.enumerated() {
            let connection = try database.connection(as: login.login)
            for entry in entries {
                #expect(
                    try isRefused(entry.use, connection) != entry.allowed[index], "\(login.role): \(entry.use)")
            }
        }
    }

    @Test(arguments: [TestServer.Login.reader, .trader])
    func `neither reader nor trader writes or locks anything that it may see, or anything behind it`(
        login: TestServer.Login
    ) throws {
        let connection = try database.connection(as: login)
        for relation in try relations("pgbook") + relations("pgbook_data") {
            let name = relation.name
            for statement in [
                "INSERT INTO \(name) DEFAULT VALUES", "DELETE FROM \(name)", "TRUNCATE \(name)",
                "SELECT FROM \(name) FOR KEY SHARE", "LOCK TABLE \(name) IN ROW SHARE MODE",
                "CREATE TRIGGER t INSTEAD OF INSERT ON \(name) FOR EACH ROW EXECUTE FUNCTION pgbook_data.refuse_import()",
                "ALTER TABLE \(name) OWNER TO CURRENT_USER",
            ] {
                do {
                    try connection.executeSimple("BEGIN; \(statement)")
                    Issue.record("\(login): \(statement)")
                } catch {}
                connection.rollBack()
            }
        }
    }

    @Test func `a node changes nothing of what it must leave as it is`() throws {
        let node = try database.connection(as: .node)
        for statement in [
            "UPDATE pgbook_data.commands SET amount = 1", "DELETE FROM pgbook_data.commands",
            "TRUNCATE pgbook_data.trades", "DELETE FROM pgbook_schema.migrations",
            "CREATE FUNCTION pgbook_data.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE OR REPLACE FUNCTION pgbook_data.expect(bigint, bigint) RETURNS void LANGUAGE sql AS ''",
            "ALTER FUNCTION pgbook_data.expect SET search_path = public", "SET ROLE pgbook_owner",
            "CREATE TRIGGER t BEFORE INSERT ON pgbook_data.inbox EXECUTE FUNCTION pgbook_data.refuse_import()",
            "ALTER TABLE pgbook_data.inbox DISABLE TRIGGER ALL",
            "CREATE RULE r AS ON INSERT TO pgbook_data.inbox DO NOTHING", "SET SESSION AUTHORIZATION pgbook_owner",
            "ALTER DEFAULT PRIVILEGES FOR ROLE pgbook_owner GRANT ALL ON TABLES TO public",
            "GRANT pgbook_owner TO pgbook_test_node", "COPY pgbook_data.markets TO PROGRAM 'true'",
        ] {
            #expect(try isRefused(statement, node), "\(statement)")
        }
    }
}
