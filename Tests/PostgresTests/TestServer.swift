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

/// A small generator whose whole sequence follows from the seed that a failing test prints.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
