/// The bounds of the market data feed.
public struct MarketDataLimits: Sendable {
    /// At most one aggregated book is read per market in this time.
    public var bookInterval: Duration
    /// Heads are read at least this often, whatever notifications say.
    public var pollInterval: Duration
    /// How often the tables are asked whether orders would be executed.
    public var readinessInterval: Duration
    /// Notifications that come in this time are answered together.
    public var hintInterval: Duration
    /// Levels per side.
    public var bookDepth: Int
    /// Trades kept for whoever comes later.
    public var recentTrades: Int
    /// Trades read with one query.
    public var tradesPerQuery: Int

    public init(
        bookInterval: Duration = .milliseconds(100), pollInterval: Duration = .seconds(1),
        readinessInterval: Duration = .milliseconds(400),
        hintInterval: Duration = .milliseconds(10), bookDepth: Int = 100, recentTrades: Int = 500,
        tradesPerQuery: Int = 5_000
    ) {
        self.bookInterval = bookInterval
        self.pollInterval = pollInterval
        self.readinessInterval = readinessInterval
        self.hintInterval = hintInterval
        self.bookDepth = bookDepth
        self.recentTrades = recentTrades
        self.tradesPerQuery = tradesPerQuery
    }
}
