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
    /// How long a lost notification can delay a command.
    public var pollInterval: Duration = .seconds(1)

    public init() {}
}
