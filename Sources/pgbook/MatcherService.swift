import Exchange
import Logging
import Postgres
import ServiceLifecycle

/// A matcher as a service: graceful shutdown ends it between two batches, or rolls the running one back whole.
struct MatcherService: Service, CustomStringConvertible {
    var matcher: Matcher
    var database: ConnectionConfiguration

    var description: String { "matcher" }

    func run() async throws {
        await cancelWhenGracefulShutdown { await matcher.run(database: database) }
    }
}
