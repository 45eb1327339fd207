/// Every bound of the matcher.
public struct ExchangeLimits: Sendable {
    /// Commands of one matching transaction. The last pool is taken whole, so a batch may be a little larger.
    public var commandsPerBatchMax = 1_000
    /// Rows of each side that a batch loads to begin with.
    public var rowsLoadedFirst = 64
    /// Rows loaded when a batch runs short; each further load of the batch takes twice as many.
    public var rowsLoadedMore = 256
    /// Rows of one load at the most.
    public var rowsLoadedMax = 16_384
    /// Orders whose rows are kept in memory between batches, of all markets; beyond, memory is given back and rows are
    /// loaded again. About 250 bytes each. A book is loaded whole only where somebody's cancel-all or fill-or-kill asks
    /// for all of it.
    public var ordersInMemoryMax = 1_000_000
    /// Markets whose books are kept in memory between batches.
    public var marketsInMemoryMax = 1_024
    /// Closed orders of a market that are remembered, so that naming one needs no look at the log.
    public var closedRememberedMax = 16_384
    /// How often commands are executed anew because somebody else was faster.
    public var attemptsMax = 6
    /// After an id was used twice: batches whose ids are looked up before.
    public var checkedBatches = 64
    /// Moves of the markets within this time are announced together.
    public var noticeInterval: Duration = .milliseconds(5)
    /// How long a statement waits for a lock that another session holds before the batch goes around it.
    public var lockWait: Duration = .milliseconds(200)
    /// The same while the exchange is wary, because a lock was waited for in vain a moment ago.
    public var lockWaitWhenWary: Duration = .milliseconds(10)
    /// How long it stays wary after the last such lock.
    public var waryTime: Duration = .seconds(10)
    /// How often the commands of one batch that may collide with other sessions keep the others waiting so long.
    public var lockWaitsMax = 20
    /// Markets of one batch that are waited for before the rest is answered busy.
    public var heldMarketsPerBatchMax = 3
    /// How long a market that is held is left alone: at first, and after many tries.
    public var heldMarketPauseMin: Duration = .milliseconds(100)
    public var heldMarketPauseMax: Duration = .seconds(1)
    /// Client order ids that are remembered because another session uses them.
    public var collisionsRememberedMax = 1_024
    /// How long a market whose batches fail one after another waits for its next try; the first time, a poll interval.
    public var failedMarketPauseMax: Duration = .seconds(2)
    /// How long a lost notification can delay a command.
    public var pollInterval: Duration = .seconds(1)
    /// How long somebody else may have a market that is due, with nothing executed meanwhile, before it is told.
    public var skippedMax: Duration = .milliseconds(900)
    /// How often a matcher with nothing to do asks whether the server still answers.
    public var lifeSignInterval: Duration = .milliseconds(500)
    /// How often somebody beside the matcher looks at what stands in its way and notes how it fares.
    public var watchInterval: Duration = .milliseconds(400)
    /// A matcher that has nothing new to say says so after this.
    public var heartbeatInterval: Duration = .seconds(1)
    /// The same while nobody is notified, because the queue of notifications is full.
    public var pollIntervalWhenDeaf: Duration = .milliseconds(50)

    public init() {}
}
