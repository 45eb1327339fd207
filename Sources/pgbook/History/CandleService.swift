import History
import Postgres
import ServiceLifecycle

/// The closing of candles as a service; it ends with the others.
struct CandleService: Service, CustomStringConvertible {
    var closing: CandleClosing
    var database: ConnectionConfiguration

    var description: String { "candles" }

    func run() async throws {
        await cancelWhenGracefulShutdown { await closing.run(database: database) }
    }
}
