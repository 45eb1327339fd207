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
    /// How it fares; also for others of the process.
    public let health: ExecutorHealth
    let logger: Logger

    var limits: ExchangeLimits { configuration.limits }

    /// - Parameters:
    ///   - entrance: served by this matcher, if given; only where there is no window.
    ///   - health: where it tells how it fares.
    public init(
        _ configuration: Configuration, entrance: DirectEntrance? = nil, health: ExecutorHealth = ExecutorHealth(),
        logger: Logger
    ) {
        precondition(entrance == nil || configuration.window == .zero, "with a window commands wait in the inbox")
        self.configuration = configuration
        self.entrance = entrance
        self.health = health
        self.logger = logger
    }

    /// Runs on a connection until the task is cancelled or the connection is lost.
    /// - Throws: what ended it; `CancellationError` when the task was cancelled.
    public func run(on connection: StoreConnection) throws {
        var loop = MatcherLoop(connection, configuration, health, logger: logger)
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
    private let health: ExecutorHealth
    private let logger: Logger
    private var markets: [MarketNumber: Market] = [:]
    /// Their rows cannot be read.
    private var unreadable: [UnreadableMarket] = []
    private var careful = CarefulMarkets()
    /// What was said last of a market that waits, so that it is said once.
    private var complaints: [MarketNumber: String] = [:]
    /// Markets that somebody else had when they were due: what was waiting, and since when.
    private var skipped: [MarketNumber: (oldest: Timestamp, since: ContinuousClock.Instant)] = [:]
    /// With a window: up to when this matcher has seen a market's inbox empty. What shows up below is late.
    private var emptyThrough: [MarketNumber: Timestamp] = [:]
    private var expiries = ExpiryEntries()
    private var pauses = MarketPauses()
    private var floor = InboxFloor()
    private var service: DirectService?
    private var memory: BookMemory
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

    init(
        _ connection: StoreConnection, _ configuration: Matcher.Configuration, _ health: ExecutorHealth, logger: Logger
    ) {
        self.connection = connection
        self.configuration = configuration
        self.health = health
        self.logger = logger
        memory = BookMemory(limits: configuration.limits)
    }

    mutating func run(serving entrance: DirectEntrance?) throws {
        try connection.prepareForMatching(lockWait: configuration.limits.lockWait)
        try connection.listenForCommands()
        // One that was killed may have been asleep.
        try connection.stayAwake()
        try learnMarkets()
        service = try entrance.map { try DirectService($0, connection, health, limits: configuration.limits) }
        if let service { memory = service.memory(configuration.limits) }
        health.connected(serverProcess: connection.serverProcess)
        defer {
            service?.finish()
            service?.close(because: "the matcher lost its connection or is ending")
        }
        while true {
            try Task.checkCancellation()
            health.begins("a batch")
            defer { health.ended() }
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
        let found: Duration?
        do {
            found = try executeDue()
        } catch let error where connection.isUsable && connection.isLockTimeout(error) {
            // Somebody holds a whole table. What does not need it goes on.
            logger.warning("the inbox cannot be read; it is tried again", metadata: ["error": "\(error)"])
            found = configuration.limits.pollInterval
        }
        if let pause = found {
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
        health.ended()
        let now = ContinuousClock.now
        let lifeSign = now + configuration.limits.lifeSignInterval
        if try connection.waitForCommands(max(.zero, min(nextLook, announcement, lifeSign) - now)) {
            nextLook = ContinuousClock.now
        } else if ContinuousClock.now >= lifeSign {
            // A server that hangs is noticed by asking it.
            health.begins("a question")
            try connection.answers()
        }
    }

    /// Reads the markets anew. Those that cannot be read are set aside, and come back when they can.
    private mutating func learnMarkets() throws {
        let list = try connection.marketList()
        markets = Dictionary(uniqueKeysWithValues: list.markets.map { ($0.number, $0) })
        try connection.setAside(markets: list.unreadable)
        for market in list.unreadable where !unreadable.contains(market) {
            logger.error(
                "a market cannot be read and is set aside; the others go on",
                metadata: ["market": "\(market.symbol)", "reason": "\(market.reason)"])
        }
        unreadable = list.unreadable
    }

    /// Executes one batch of every market that is due.
    /// - Returns: how long to wait for the next, or nil if there is more to do at once.
    private mutating func executeDue() throws -> Duration? {
        let search = floor.search()
        let begun = ContinuousClock.now
        let due = try connection.dueMarkets(search)
        floor.looked(search, found: due, cost: ContinuousClock.now - begun)
        let now = due.now
        let cutoff = cutoff(due)
        var didWork = false
        var pause = due.isDeaf ? configuration.limits.pollIntervalWhenDeaf : configuration.limits.pollInterval
        if let wait = floor.pause { pause = min(pause, wait) }
        if !unreadable.isEmpty { try learnMarkets() }
        health.waits(only: Set(due.markets.lazy.filter { $0.oldestWaiting != nil }.map(\.market)))
        for dueMarket in due.markets {
            guard let market = try market(dueMarket.market) else { continue }
            var isEmpty = true
            if let wait = pauses.wait(for: dueMarket.market) {
                pause = min(pause, wait)
                continue
            }
            if let oldest = dueMarket.oldestWaiting, oldest <= cutoff {
                let report = try executeAlone(
                    market, whatIsDue(of: dueMarket.market, cutoff, isShared: due.cluster != nil), oldest: oldest)
                didWork = didWork || report != nil
                isEmpty = report.map { !$0.isFull } ?? false
            } else if let oldest = dueMarket.oldestWaiting {
                // Whoever closes the pools of a cluster wakes the matcher.
                if due.cluster == nil { pause = min(pause, .microseconds(oldest.rawValue - cutoff.rawValue)) }
            } else if let expiry = dueMarket.nextExpiry {
                let moment = expiries.moment(for: expiry, of: dueMarket.market, in: due.cluster)
                if moment <= now {
                    if try enterExpiry(market) { expiries.entered(expiry, of: dueMarket.market, at: now) }
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
        var due =
            isShared
            ? MatchingBatch.Due(closed: cutoff)
            : MatchingBatch.Due(
                cutoff: cutoff, closedThrough: hasWindow ? emptyThrough[market] ?? Timestamp(Int64.min) : nil)
        due.floor = floor.floor(of: market)
        return due
    }

    private var hasWindow: Bool { configuration.window > .zero }

    /// A market whose batch fails must not keep the others waiting. Where one of its commands is at fault that one is
    /// found and refused; else the market is tried again after a poll interval.
    /// - Parameter oldest: when its oldest command was stamped.
    private mutating func executeAlone(
        _ market: Market, _ due: MatchingBatch.Due, oldest: Timestamp
    ) throws -> MatchingBatch.Report? {
        let commandsMax = configuration.limits.commandsPerBatchMax
        do {
            health.begins("a batch of \(market.symbol)")
            let report = try MatchingBatch(
                MatchingTransaction(connection, market: market), due: due, limits: configuration.limits,
                memory: memory
            ).run(care: careful[market.number])
            pauses.succeeded(market.number)
            if let report {
                careful.succeeded(market.number, of: commandsMax)
                health.succeeded(market.number, on: .inbox)
                complaints[market.number] = nil
                skipped[market.number] = nil
                report.log(market, to: logger)
            } else {
                noteSkipped(market, oldest)
            }
            return report
        } catch {
            guard connection.isUsable, !(error is CancellationError), !Task.isCancelled else { throw error }
            let failure = DirectFailure(ofLogged: error)
            if case .unfit(let words) = failure,
                careful.failed(market.number, of: commandsMax, because: words)
            {
                return .again
            }
            pauses.failed(market.number, configuration.limits)
            complain(of: market, "\(failure)")
            return nil
        }
    }

    /// Somebody else has the market's row. Another matcher would have executed something meanwhile.
    private mutating func noteSkipped(_ market: Market, _ oldest: Timestamp) {
        let now = ContinuousClock.now
        guard let first = skipped[market.number], first.oldest == oldest else {
            skipped[market.number] = (oldest, now)
            return
        }
        if first.since + configuration.limits.skippedMax <= now {
            complain(of: market, "another session has its row locked and executes nothing")
        }
    }

    private mutating func complain(of market: Market, _ words: String) {
        health.failed(market.number, market.symbol, because: words, on: .inbox)
        guard complaints.updateValue(words, forKey: market.number) != words else { return }
        logger.error(
            "nothing of a market can be executed; it waits, the others go on",
            metadata: ["market": "\(market.symbol)", "error": "\(words)"])
    }

    /// A quiet market has no command that would let its clock advance, so one is given.
    /// - Returns: whether it was; otherwise it is tried again after a poll interval.
    private mutating func enterExpiry(_ market: Market) throws -> Bool {
        do {
            _ = try connection.enter([Entry(user: UserID("pgbook"), market: market.symbol, action: .expire)])
            return true
        } catch {
            guard connection.isUsable, !(error is CancellationError), !Task.isCancelled else { throw error }
            complain(of: market, "\(DirectFailure(error))")
            return false
        }
    }

    /// Nil where its row cannot be read.
    private mutating func market(_ number: MarketNumber) throws -> Market? {
        if let market = markets[number] { return market }
        if !unreadable.contains(where: { $0.number == number }) { try learnMarkets() }
        return markets[number]
    }
}

extension MatchingBatch.Report {
    /// Nothing was done, and there is something to do at once.
    fileprivate static var again: Self { Self(commands: 0, trades: 0, late: 0, seq: Seq(0), isFull: true) }

    fileprivate func log(_ market: Market, to logger: Logger) {
        for command in setAside {
            logger.error(
                "a command was set aside: it cannot be executed, and its neighbours go on",
                metadata: [
                    "market": "\(market.symbol)", "command": "\(command.id)", "code": "\(command.code.name)",
                    "reason": "\(command.reason)",
                ])
        }
        logger.debug(
            "batch",
            metadata: [
                "market": "\(market.symbol)", "commands": "\(commands)", "trades": "\(trades)", "late": "\(late)",
                "seq": "\(seq.rawValue)",
            ])
    }
}
