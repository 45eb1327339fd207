import Exchange
import Logging
import Postgres
import ServiceLifecycle

/// A matcher as a service: graceful shutdown ends it between two batches, or rolls the running one back whole.
struct MatcherService: Service {
    var matcher: Matcher
    var database: ConnectionConfiguration

    func run() async throws {
        await cancelWhenGracefulShutdown { await matcher.run(database: database) }
    }
}
