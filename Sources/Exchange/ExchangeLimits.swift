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
    /// loaded again. About 250 bytes each.
    public var ordersInMemoryMax = 50_000
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

    public init() {}
}
