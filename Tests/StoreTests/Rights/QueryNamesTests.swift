import Foundation
import Postgres
import Store
import TestSupport
import Testing

/// pgbook's own statements run in sessions whose path holds nothing that anybody else could make things in.
@Suite struct QueryNamesTests {
    /// The statements of sql/queries by name, as they are written.
    private static func queries() throws -> [(name: String, sql: String)] {
        let folder = SharedData.repository.appending(path: "sql/queries")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.filter { $0.pathExtension == "sql" }.flatMap { file in
            try String(contentsOf: file, encoding: .utf8).split(separator: "-- name: ").dropFirst().compactMap { part in
                guard let end = part.firstIndex(of: "\n") else { return nil }
                let lines = part[end...].split(separator: "\n").filter { !$0.hasPrefix("--") }
                return (String(part[..<end]), lines.joined(separator: "\n"))
            }
        }
    }

    @Test func `every statement of sql/queries finds what it names with pg_catalog alone in its path`() throws {
        let database = try TestDatabase()
        let connection = try database.connection()
        let queries = try Self.queries()
        #expect(queries.count > 150)
        try connection.executeSimple("SET search_path = pg_catalog, pg_temp")
        // The one table that is made when it is needed.
        try connection.executeSimple(
            try #require(queries.first { $0.name == "create_import" }).sql
                .replacing("on commit drop", with: ""))
        var prepared = 0
        for query in queries {
            // Whose tables are made by sql/bench, or by the statement itself.
            if query.name.hasPrefix("copy_limit_") || query.name.hasPrefix("copy_naive_") { continue }
            var sql = Substring(query.sql)
            if let match = sql.firstMatch(of: /(?s)^copy \((.*)\) to stdout/) { sql = match.1 }
            guard let word = sql.firstMatch(of: /\w+/)?.0,
                ["select", "with", "insert", "update", "delete"].contains(word)
            else { continue }
            prepared += 1
            do {
                try connection.executeSimple("PREPARE q AS \(sql)")
                try connection.executeSimple("DEALLOCATE q")
            } catch  where ["42P08", "42P18"].contains(error.sqlState?.code) {
                // All names are found; pgbook itself says of what types the parameters are.
            } catch {
                Issue.record("\(query.name): \(error)")
            }
        }
        #expect(prepared > 180)
    }

    /// Those that cannot be prepared.
    @Test func `every COPY and LOCK of sql/queries names the schema of its table`() throws {
        for query in try Self.queries() {
            for match in query.sql.matches(of: /(?m)(?:^copy|lock table) +(\w+)(\.?)/) where match.1 != "pgbook_import"
            {
                #expect(match.2 == ".", "\(query.name): \(match.0)")
            }
        }
    }
}
