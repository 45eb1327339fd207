import Logging
import OrderBook
import Store

/// Stands beside a matcher with a session of its own: looks at what keeps batches from being executed, and writes into
/// the database how the matcher fares, which a matcher that hangs could not.
struct MatcherWatch {
    private let health: ExecutorHealth
    private let limits: ExchangeLimits
    private let logger: Logger

    init(_ health: ExecutorHealth, _ limits: ExchangeLimits, logger: Logger) {
        self.health = health
        self.limits = limits
        self.logger = logger
    }

    /// Runs until the task is cancelled.
    func run(_ database: StoreConfiguration) async {
        let logger = logger
        await database.keepRunning(waitMax: .seconds(1)) { error, _ in
            health.noticed(obstacle: "the database cannot be used: \(error)")
            logger.debug("nobody watches over the matcher", metadata: ["error": "\(error)"])
        } _: { connection in
            var round = WatchRound(connection, health, limits, logger: logger)
            try round.run()
        }
    }
}

private struct WatchRound {
    private let connection: StoreConnection
    private let health: ExecutorHealth
    private let limits: ExchangeLimits
    private let logger: Logger
    private let id = OrderID.random(Timestamp(0))
    private var said: String?
    private var saidAt = ContinuousClock.now
    private var executes: Int32?
    /// What others held when it was looked last.
    private var holders: Set<String> = []
    private var lockers: [String: Int32] = [:]
    private var held: Set<String> = []
    private var told: String?

    init(_ connection: StoreConnection, _ health: ExecutorHealth, _ limits: ExchangeLimits, logger: Logger) {
        self.connection = connection
        self.health = health
        self.limits = limits
        self.logger = logger
    }

    mutating func run() throws {
        (said, executes) = (health.notReady(), health.serverProcess)
        try connection.beginMatcher(id, executes: executes, because: said)
        defer { if connection.isUsable { try? connection.endMatcher(id) } }
        while true {
            try Task.checkCancellation()
            try look()
            try note()
            _ = try connection.waitForCommands(limits.watchInterval)
        }
    }

    private mutating func look() throws {
        var words: String?
        do {
            words = try tableObstacle() ?? rowObstacle()
            for market in health.refusingMarkets { try tryAgain(market) }
        } catch {
            guard connection.isUsable, !(error is CancellationError), !Task.isCancelled else { throw error }
            words = "\(error)"
        }
        health.noticed(obstacle: words)
        if let words, words != told { logger.error("no batch can be executed", metadata: ["reason": "\(words)"]) }
        told = words
    }

    /// A lock counts when it was there the last time too.
    private mutating func tableObstacle() throws -> String? {
        let obstacles = try connection.obstacles()
        let before = holders
        holders = Set(obstacles.compactMap(\.holder))
        return obstacles.first { $0.holder.map { before.contains($0) } ?? true }?.words
    }

    /// Rows of markets that one session holds for long. Only where somebody holds some at all they are looked at.
    private mutating func rowObstacle() throws -> String? {
        let now = try connection.stateLockers()
        let before = lockers
        lockers = now
        guard let locker = now.keys.filter({ before[$0] != nil }).min(), let process = now[locker] else {
            held = []
            return nil
        }
        let markets = try connection.heldMarkets()
        let still = markets.filter { held.contains($0) }
        held = Set(markets)
        guard let first = still.first else { return nil }
        return "market \(first) is locked by another session (the server's process \(process))"
    }

    /// Nobody sends orders to a node that is not ready, so that somebody must find out when it could take them again.
    private func tryAgain(_ market: MarketNumber) throws {
        do {
            try connection.tryBatch(market)
            health.succeeded(market, on: .direct)
        } catch {
            guard connection.isUsable, !(error is CancellationError) else { throw error }
        }
    }

    /// Writes what is new at once, and a sign of life now and then.
    private mutating func note() throws {
        let (words, process) = (health.notReady(), health.serverProcess)
        let now = ContinuousClock.now
        guard words != said || process != executes || saidAt + limits.heartbeatInterval <= now else { return }
        (said, executes, saidAt) = (words, process, now)
        try connection.noteMatcher(id, executes: process, because: words)
    }
}
