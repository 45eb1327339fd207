import Foundation
public import Postgres
import Store

/// The throwaway PostgreSQL that `scripts/test` starts.
public enum TestServer {
    /// A login of the test server, member of the role that the schema grants to.
    public enum Login: String, Sendable, CaseIterable {
        case reader = "pgbook_test_reader"
        case trader = "pgbook_test_trader"
        case otherTrader = "pgbook_test_other_trader"
        case node = "pgbook_test_node"

        var role: String {
            switch self {
            case .reader: "pgbook_reader"
            case .trader, .otherTrader: "pgbook_trader"
            case .node: "pgbook_node"
            }
        }
    }

    /// The connection string of a superuser.
    public static func url() throws -> String {
        guard let url = ProcessInfo.processInfo.environment["PGBOOK_TEST_URL"], !url.isEmpty else {
            throw TestFault("PGBOOK_TEST_URL is not set: this test needs a throwaway PostgreSQL; run scripts/test")
        }
        return url
    }

    /// The folder of PostgreSQL's own programs, where it is known.
    public static var programs: String? { ProcessInfo.processInfo.environment["PGBOOK_TEST_POSTGRES_BIN"] }

    /// The server's URL with another database, and another login where one is given.
    public static func url(database: String, login: String? = nil, password: String? = nil) throws -> String {
        let url = try self.url()
        guard let scheme = url.range(of: "://") else {
            throw TestFault("PGBOOK_TEST_URL must be a URL (postgresql://…), not \(url)")
        }
        let (address, query) = split(url[scheme.upperBound...], at: "?")
        var authority = split(address, at: "/").before
        if let login {
            let host = authority.range(of: "@", options: .backwards).map { authority[$0.upperBound...] } ?? authority
            authority = "\(login)\(password.map { ":" + $0 } ?? "")@\(host)"
        }
        return "\(url[..<scheme.upperBound])\(authority)/\(database)" + (query.isEmpty ? "" : "?\(query)")
    }

    /// A connection to the server's own database, as superuser.
    public static func connection() throws -> Connection {
        try Connection(ConnectionConfiguration(url(), applicationName: "pgbook tests"))
    }

    private static func split(_ text: Substring, at separator: Character) -> (before: Substring, after: Substring) {
        guard let index = text.firstIndex(of: separator) else { return (text, "") }
        return (text[..<index], text[text.index(after: index)...])
    }
}

/// Why a test cannot go on.
public struct TestFault: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
