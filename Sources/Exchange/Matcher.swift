public import Logging
import OrderBook
public import Store

/// Executes what is due, market by market, for as long as it runs.
///
/// It keeps nothing that the rows do not hold: any number of matchers may run on one database, and one that dies is
/// replaced by starting another. NOTIFY wakes it; if a notification is lost the next poll finds the command.
public struct Matcher: Sendable {
    public struct Configuration: Sendable {
        /// How long a command waits before it is executed; zero for a node alone. In a cluster its sidecar decides.
        public var window: Duration
        public var limits: ExchangeLimits

        public init(window: Duration = .zero, limits: ExchangeLimits = ExchangeLimits()) {
            self.window = window
            self.limits = limits
        }

        /// Microseconds.
        var windowMicroseconds: Int64 {
            let (seconds, attoseconds) = window.components
            return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        }
    }

    private let configuration: Configuration
    private let entrance: DirectEntrance?
    let logger: Logger

    /// - Parameter entrance: served by this matcher, if given; only where there is no window.
    public init(_ configuration: Configuration, entrance: DirectEntrance? = nil, logger: Logger) {
        precondition(entrance == nil || configuration.window == .zero, "with a window commands wait in the inbox")
        self.configuration = configuration
        self.entrance = entrance
        self.logger = logger
    }

    /// Runs on a connection until the task is cancelled or the connection is lost.
    /// - Throws: what ended it; `CancellationError` when the task was cancelled.
    public func run(on connection: StoreConnection) throws {
        var loop = MatcherLoop(connection, configuration, logger: logger)
        try loop.run(serving: entrance)
    }
}

/// Why a matcher ends by itself.
enum MatcherFault: Error, CustomStringConvertible {
    case connectionLost
    var description: String { "the connection to the database was lost" }
}

/// The matcher's loop on one connection.
private struct MatcherLoop {
    private let connection: StoreConnection
    private let configuration: Matcher.Configuration
    private let logger: Logger
    private var markets: [MarketNumber: Market] = [:]
    /// With a window: up to when this matcher has seen a market's inbox empty. What shows up below is late.
    private var emptyThrough: [MarketNumber: Timestamp] = [:]
    private var expiries = ExpiryEntries()
    private var service: DirectService?
    /// When to look at the inbox though nothing was announced.
    private var nextLook = ContinuousClock.now
    /// Looks in a row that found work.
    private var busyLooks = 0
    /// Whether new commands are announced to this matcher.
    private var isAsleep = false
    /// When to ask whether they still are.
    private var nextDoubt = ContinuousClock.now
    /// Who was entering commands when it fell asleep, and may have announced none. It looks for them after 2 ms, 4 ms and so
    /// on: a transaction that is left open costs nobody but itself.
    private var unannounced: [String] = []
    private static let restlessnessMin = Duration.milliseconds(2)
    private var restlessness = Self.restlessnessMin

    init(_ connection: StoreConnection, _ configuration: Matcher.Configuration, logger: Logger) {
        self.connection = connection
        self.configuration = configuration
        self.logger = logger
    }

    mutating func run(serving entrance: DirectEntrance?) throws {
        try connection.prepareForMatching()
        try connection.listenForCommands()
        // One that was killed may have been asleep.
        try connection.stayAwake()
        service = try entrance.map { try DirectService($0, connection, limits: configuration.limits) }
        defer {
            service?.finish()
            service?.close(because: "the matcher lost its connection or is ending")
        }
        while true {
            try Task.checkCancellation()
            let worked = service?.work() ?? false
            guard connection.isUsable else { throw MatcherFault.connectionLost }
            if connection.hearsOfCommands() || service?.takeHasLogged() ?? false || ContinuousClock.now >= nextLook {
                service?.finish()
                try look()
            } else if !worked {
                try rest()
            }
        }
    }

    /// Looks at the inbox and executes what is due.
    private mutating func look() throws {
        if let pause = try executeDue() {
            nextLook = ContinuousClock.now + pause
            busyLooks = 0
        } else {
            nextLook = ContinuousClock.now
            busyLooks += 1
        }
        // While there is work at every look nobody needs to announce more: announcing makes commits wait for each other.
        if busyLooks >= 2, isAsleep {
            try connection.stayAwake()
            isAsleep = false
        }
    }

    /// Waits for something to do.
    private mutating func rest() throws {
        let announcement = try service?.announce() ?? nextLook
        if isAsleep, ContinuousClock.now >= nextDoubt {
            // Another matcher may be awake, and have asked for no announcements.
            isAsleep = try connection.isAwaited()
            nextDoubt = ContinuousClock.now + configuration.limits.pollInterval
        }
        if !isAsleep {
            unannounced = try connection.fallAsleep()
            isAsleep = true
            nextDoubt = ContinuousClock.now + configuration.limits.pollInterval
            restlessness = Self.restlessnessMin
            // What was entered a moment ago was not announced.
            nextLook = ContinuousClock.now
            return
        }
        if !unannounced.isEmpty {
            let running = try connection.stillRunning(unannounced)
            let haveEnded = running.count < unannounced.count
            unannounced = running
            if haveEnded {
                nextLook = ContinuousClock.now
                return
            }
            nextLook = min(nextLook, ContinuousClock.now + restlessness)
            restlessness = min(restlessness * 2, configuration.limits.pollInterval)
        }
        if try connection.waitForCommands(max(.zero, min(nextLook, announcement) - ContinuousClock.now)) {
            nextLook = ContinuousClock.now
        }
    }

    /// Executes one batch of every market that is due.
    /// - Returns: how long to wait for the next, or nil if there is more to do at once.
    private mutating func executeDue() throws -> Duration? {
        let due = try connection.dueMarkets()
        let now = due.now
        let cutoff = cutoff(due)
        var didWork = false
        var pause = configuration.limits.pollInterval
        for dueMarket in due.markets {
            var isEmpty = true
            if let oldest = dueMarket.oldestWaiting, oldest <= cutoff {
                let report = try executeAlone(
                    try market(dueMarket.market), whatIsDue(of: dueMarket.market, cutoff, isShared: due.cluster != nil))
                didWork = didWork || report != nil
                isEmpty = report.map { !$0.isFull } ?? false
            } else if let oldest = dueMarket.oldestWaiting {
                // Whoever closes the pools of a cluster wakes the matcher.
                if due.cluster == nil { pause = min(pause, .microseconds(oldest.rawValue - cutoff.rawValue)) }
            } else if let expiry = dueMarket.nextExpiry {
                let moment = expiries.moment(for: expiry, of: dueMarket.market, in: due.cluster)
                if moment <= now {
                    try enterExpiry(try market(dueMarket.market))
                    expiries.entered(expiry, of: dueMarket.market, at: now)
                } else {
                    pause = min(pause, .microseconds(moment.rawValue - now.rawValue))
                }
            }
            if hasWindow, isEmpty { emptyThrough[dueMarket.market] = cutoff }
        }
        return didWork ? nil : pause
    }

    private func cutoff(_ due: DueMarkets) -> Timestamp {
        if let cluster = due.cluster { return cluster.closedThrough }
        return hasWindow ? Timestamp(due.now.rawValue - configuration.windowMicroseconds) : Timestamp(Int64.max)
    }

    private func whatIsDue(
        of market: MarketNumber, _ cutoff: Timestamp, isShared: Bool
    ) -> MatchingBatch.Due {
        if isShared { return MatchingBatch.Due(closed: cutoff) }
        return MatchingBatch.Due(
            cutoff: cutoff, closedThrough: hasWindow ? emptyThrough[market] ?? Timestamp(Int64.min) : nil)
    }

    private var hasWindow: Bool { configuration.window > .zero }

    /// A market whose batch fails must not keep the others waiting. It is tried again after a poll interval.
    private func executeAlone(_ market: Market, _ due: MatchingBatch.Due) throws -> MatchingBatch.Report? {
        do {
            let report = try MatchingBatch(
                MatchingTransaction(connection, market: market), due: due, limits: configuration.limits
            ).run()
            service?.executed(market.number)
            report?.log(market, to: logger)
            return report
        } catch {
            guard connection.isUsable, !(error is CancellationError), !Task.isCancelled else { throw error }
            logger.error(
                "a batch failed and was rolled back; its market waits",
                metadata: ["market": "\(market.symbol)", "error": "\(error)"])
            return nil
        }
    }

    /// A quiet market has no command that would let its clock advance, so one is given.
    private func enterExpiry(_ market: Market) throws {
        _ = try connection.enter([Entry(user: UserID("pgbook"), market: market.symbol, action: .expire)])
    }

    private mutating func market(_ number: MarketNumber) throws -> Market {
        if let market = markets[number] { return market }
        for market in try connection.markets() { markets[market.number] = market }
        guard let market = markets[number] else {
            preconditionFailure("market \(number.rawValue) has a state but no row")
        }
        return market
    }
}

extension MatchingBatch.Report {
    fileprivate func log(_ market: Market, to logger: Logger) {
        logger.debug(
            "batch",
            metadata: [
                "market": "\(market.symbol)", "commands": "\(commands)", "trades": "\(trades)", "late": "\(late)",
                "seq": "\(seq.rawValue)",
            ])
    }
}
