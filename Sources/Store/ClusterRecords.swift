public import OrderBook

/// A command in the log of the node that it entered at, and what was decided about it before execution.
public struct LoggedItem: Hashable, Sendable {
    /// 1, 2, 3 … per origin.
    public var number: Int64
    /// Its `origin` is the node that it entered at, its `time` the stamp.
    public var command: Command
    /// Too few nodes confirmed it in time.
    public var isUnconfirmed: Bool
    /// Why it is not executed; nil where it is.
    public var refusal: OutcomeCode?

    public init(number: Int64, command: Command, isUnconfirmed: Bool = false, refusal: OutcomeCode? = nil) {
        self.number = number
        self.command = command
        self.isUnconfirmed = isUnconfirmed
        self.refusal = refusal
    }
}

/// Some numbers of an origin's log.
public struct LogSpan: Hashable, Sendable {
    public var origin: String
    public var numbers: ClosedRange<Int64>

    public init(origin: String, numbers: ClosedRange<Int64>) {
        self.origin = origin
        self.numbers = numbers
    }
}

/// Some numbers that are stored of an origin's log, without a gap.
public struct StoredSpan: Hashable, Sendable {
    public var span: LogSpan
    /// The stamp of its last.
    public var lastStamp: Timestamp

    public init(span: LogSpan, lastStamp: Timestamp) {
        self.span = span
        self.lastStamp = lastStamp
    }
}

/// What the sidecar of a node writes; see `Connection.write(_:)`.
public enum ClusterWrite: Hashable, Sendable {
    /// Commands that entered here get their stamps and numbers.
    case number([LoggedItem])
    /// Commands of other nodes; those that are stored already stay as they are.
    case store([LoggedItem])
    /// Commands that were accepted and not executed are refused.
    case refuse([LogSpan], OutcomeCode)
    /// The matcher may execute up to here.
    case close(Timestamp, chain: Digest?)
    /// No stamp at or below this is given after a restart.
    case bound(Timestamp)
    /// All nodes agreed up to here.
    case agreed(Timestamp)
    case admit(Bool, because: String?)
    /// Commands without stamps, kept for another node.
    case propose([Command], from: String)
    case withdraw([OrderID])
    /// The sidecar lives.
    case heard
}

/// A database's place in its cluster.
public struct ClusterState: Hashable, Sendable {
    public var clusterID: String
    /// This node's name.
    public var node: String
    /// All nodes, this one too, in the order of their names.
    public var members: [String]
    /// Microseconds.
    public var window: Int64
    public var closedThrough: Timestamp
    public var chain: Digest
    public var bound: Timestamp
    public var agreed: Timestamp
    /// What the sidecar said last.
    public var admits: Bool
    /// Why the node takes no commands, in one line; nil where it does.
    public var notReady: String?
    /// When the sidecar wrote last.
    public var heardAt: Timestamp?
}

/// A market as all nodes of a cluster have it. Decimals are text without exponent and trailing zeros.
public struct SharedMarket: Hashable, Sendable {
    public var symbol: String
    public var tickSize: String
    public var lotSize: String
    /// Lots.
    public var maxAmount: Int64
    /// Ticks × lots.
    public var maxNotional: String?
    /// Ticks.
    public var minPrice: Int64
    public var maxPrice: Int64

    public init(
        symbol: String, tickSize: String, lotSize: String, maxAmount: Int64, maxNotional: String?, minPrice: Int64,
        maxPrice: Int64
    ) {
        self.symbol = symbol
        self.tickSize = tickSize
        self.lotSize = lotSize
        self.maxAmount = maxAmount
        self.maxNotional = maxNotional
        self.minPrice = minPrice
        self.maxPrice = maxPrice
    }
}

/// How far a market was executed.
public struct SharedPosition: Hashable, Sendable {
    public var market: String
    public var seq: Seq
    /// The first 64 bits of its digest there.
    public var digestHead: Int64

    public init(market: String, seq: Seq, digestHead: Int64) {
        self.market = market
        self.seq = seq
        self.digestHead = digestHead
    }
}
