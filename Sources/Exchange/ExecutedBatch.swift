public import OrderBook
public import Store

/// What became of the entries of one batch, in their order.
public struct ExecutedBatch: Sendable {
    /// Who submitted it; see `DirectExchange.submit`.
    public var tag: Int
    public var outcome: Result<[ExecutedEntry], DirectFailure>
    /// What it did to each market.
    public var moves: [MarketMove] = []

    public var results: [ExecutedEntry] {
        get throws(DirectFailure) { try outcome.get() }
    }
}

/// What became of one entry.
public struct ExecutedEntry: Sendable {
    public var admission: Admission
    /// Where it was executed.
    public var market: MarketNumber?
    /// Nil where it was refused, and where it waits in the log for its turn.
    public var execution: Execution?
    /// Its trades as taker.
    public var trades: ArraySlice<Trade>

    public init(
        admission: Admission, market: MarketNumber? = nil, execution: Execution? = nil, trades: ArraySlice<Trade> = []
    ) {
        self.admission = admission
        self.market = market
        self.execution = execution
        self.trades = trades
    }
}
