import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct RightsCommandTests {
    @Test func `serve warns a superuser in one line that names the remedy, and nobody else`() async throws {
        let database = try TestDatabase()
        for (url, isWarned) in [(database.url, true), (try database.url(as: .node), false)] {
            let serve = try RunningProgram(["serve", "--roles", "matcher"], database: url)
            try await eventually("it matches", within: .seconds(60)) { serve.errors.contains("matching") }
            serve.signal(SIGTERM)
            let warnings = try serve.result().errors.split(separator: "\n").filter { $0.contains("is a superuser") }
            #expect(warnings.count == (isWarned ? 1 : 0), "\(warnings)")
            #expect(warnings.allSatisfy { $0.contains("CREATE ROLE pgbook_server LOGIN") }, "\(warnings)")
        }
    }

    @Test func `doctor names what lets a login stop the others, with what to do about it`() throws {
        let database = try TestDatabase()
        let connection = try database.connection()
        try connection.executeSimple(
            """
            GRANT TEMPORARY ON DATABASE \(database.name) TO public;
            GRANT CREATE ON SCHEMA public TO public;
            GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint) TO public;
            """)
        let doctor = try Program.run(["doctor", "--json"], database: database.url(as: .reader))
        let remarks = try #require(try doctor.json(as: [String: Any].self)["remarks"] as? [String])
        let remedies = [
            "REVOKE TEMPORARY ON DATABASE \(database.name) FROM public",
            "REVOKE EXECUTE ON FUNCTION pg_advisory_lock(bigint) FROM public",
            "REVOKE CREATE ON SCHEMA public FROM public",
        ]
        for remedy in remedies {
            #expect(remarks.contains { $0.hasSuffix(remedy) }, "\(remedy): \(remarks)")
            try connection.executeSimple(remedy)
        }
        let timeouts = try #require(remarks.first { $0.contains("transactions open for ever") })
        #expect(timeouts.contains("ALTER ROLE pgbook_test_"), "\(timeouts)")
        #expect(timeouts.contains("SET transaction_timeout"), "\(timeouts)")
        let after = try Program.run(["doctor", "--json"], database: database.url(as: .reader))
        let left = try #require(try after.json(as: [String: Any].self)["remarks"] as? [String])
        #expect(!left.contains { $0.contains("anybody may") }, "\(left)")
    }
}
