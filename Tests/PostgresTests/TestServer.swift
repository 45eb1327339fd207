import Foundation
import Postgres

/// The server that scripts/test started.
enum TestServer {
    struct Missing: Error, CustomStringConvertible {
        let description = "PGBOOK_TEST_URL is not set: run scripts/test, which starts a server for the tests"
    }

    static func configuration(settings: [String: String] = [:]) throws -> ConnectionConfiguration {
        guard let url = ProcessInfo.processInfo.environment["PGBOOK_TEST_URL"] else { throw Missing() }
        return ConnectionConfiguration(url, applicationName: "pgbook-tests", settings: settings)
    }

    static func connect() throws -> Connection { try Connection(configuration()) }
}
