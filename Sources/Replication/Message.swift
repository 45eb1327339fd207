public import OrderBook

/// What nodes say to each other.
public enum Message: Hashable, Sendable {
    /// The first on every connection, either way.
    case hello(Hello)
    /// Commands that the receiver may not have, in rising order of numbers per origin.
    case items(Items)
    /// Asks for commands.
    case pull(Pull)
    /// Commands that are to be stamped once enough nodes have stored them.
    case propose([Proposal])
    /// These proposals are stored.
    case confirm([OrderID])
    /// These proposals came to nothing, or have become items.
    case withdraw([OrderID])
    /// At least once per `heartbeatInterval`, and whenever something in it should be known at once.
    case heartbeat(Heartbeat)
    /// Where was your chain at this time?
    case chainQuery(Timestamp)
    /// The chain at the time asked for (the digest is nil if it is forgotten); a node that has not closed so far yet
    /// answers with what it has closed, which is earlier.
    case chainAnswer(ChainPoint)
    /// Commands of the receiver that came too late here.
    case late([LogRange])
}

public struct Hello: Hashable, Sendable {
    public var clusterID: String
    /// All members, itself too, in the order of their names.
    public var members: [NodeName]
    /// Microseconds; all members must have the same.
    public var window: Int64
    public var markets: [MarketDefinition]

    public init(clusterID: String, members: [NodeName], window: Int64, markets: [MarketDefinition]) {
        self.clusterID = clusterID
        self.members = members
        self.window = window
        self.markets = markets
    }
}

/// A market as all nodes must have it. Decimals are text without exponent and trailing zeros.
public struct MarketDefinition: Hashable, Sendable {
    public var symbol: String
    public var tickSize: String
    public var lotSize: String
    public var maxAmount: Int64
    public var maxNotional: String?
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

public struct Items: Hashable, Sendable {
    public enum Reason: UInt8, Hashable, Sendable {
        /// By the node they entered at.
        case pushed = 0
        /// By a node that had just got them.
        case relayed = 1
        /// In answer to a pull. The verdicts are the sender's; final where it has closed their pools.
        case pulled = 2
    }

    public var reason: Reason
    public var items: [JudgedItem]
    /// Of a pull, the ranges that are answered in full with this message: what did not come of them the sender does not
    /// have. Empty unless `pulled`, and in all but the last message of an answer.
    public var answered: [LogRange]

    public init(reason: Reason, items: [JudgedItem], answered: [LogRange] = []) {
        self.reason = reason
        self.items = items
        self.answered = answered
    }
}

/// Some numbers of an origin's log.
public struct LogRange: Hashable, Sendable {
    public var origin: NodeName
    public var numbers: ClosedRange<Int64>

    public init(origin: NodeName, numbers: ClosedRange<Int64>) {
        self.origin = origin
        self.numbers = numbers
    }
}

public struct Pull: Hashable, Sendable {
    public var ranges: [LogRange]

    public init(ranges: [LogRange]) { self.ranges = ranges }
}

/// A command without a stamp: `command.time` means nothing yet.
public struct Proposal: Hashable, Sendable {
    public var command: Command

    public init(command: Command) { self.command = command }
}

/// The commands that were accepted with stamps up to a time, as one value: digest' = SHA-256(digest ‖ canonical bytes),
/// in the order of execution.
public struct ChainPoint: Hashable, Sendable {
    public var through: Timestamp
    /// Nil where a node does not remember that far back.
    public var digest: Digest?

    public init(through: Timestamp, digest: Digest?) {
        self.through = through
        self.digest = digest
    }
}

/// How far a node's stored log of an origin goes.
public struct LogPosition: Hashable, Sendable {
    public var origin: NodeName
    /// All up to here are stored.
    public var contiguous: Int64
    /// What is stored behind the first gap, rising; the first `rangesPerPositionMax` of it.
    public var beyond: [ClosedRange<Int64>]
    /// The highest number that came, stored or about to be.
    public var highest: Int64
    /// Numbers that came and are on their way to the database lie in it.
    public var coming: ClosedRange<Int64>?

    public init(
        origin: NodeName, contiguous: Int64, beyond: [ClosedRange<Int64>], highest: Int64,
        coming: ClosedRange<Int64>? = nil
    ) {
        self.origin = origin
        self.contiguous = contiguous
        self.beyond = beyond
        self.highest = highest
        self.coming = coming
    }
}

/// How far a market was executed.
public struct MarketPosition: Hashable, Sendable {
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

public struct Heartbeat: Hashable, Sendable {
    /// 1, 2, 3 … since the sender started.
    public var number: Int64
    /// The sender will give no stamp at or below this beyond `lastNumber`.
    public var watermark: Timestamp
    /// The number of the sender's last command with a stamp up to the watermark.
    public var lastNumber: Int64
    public var chain: ChainPoint
    public var positions: [LogPosition]
    /// Markets whose execution went on since they were last told, and some others in turn; at most `marketsPerHeartbeatMax`.
    public var markets: [MarketPosition]
    /// Whether the sender has what the others closed.
    public var isLevel: Bool
    /// For estimating the clocks' offset (NTP, RFC 5905 §8): the sender's wall clock now; of the last heartbeat it had
    /// from the receiver on this connection: that one's `number` and `sentAt`, and the sender's wall clock when it came.
    /// Nil before the first. The number tells the receiver what this heartbeat was sent after.
    public var sentAt: Timestamp
    public var echo: Echo?

    public struct Echo: Hashable, Sendable {
        public var number: Int64
        public var sentAt: Timestamp
        public var receivedAt: Timestamp

        public init(number: Int64, sentAt: Timestamp, receivedAt: Timestamp) {
            self.number = number
            self.sentAt = sentAt
            self.receivedAt = receivedAt
        }
    }

    public init(
        number: Int64, watermark: Timestamp, lastNumber: Int64, chain: ChainPoint, positions: [LogPosition],
        markets: [MarketPosition], isLevel: Bool, sentAt: Timestamp, echo: Echo?
    ) {
        self.number = number
        self.watermark = watermark
        self.lastNumber = lastNumber
        self.chain = chain
        self.positions = positions
        self.markets = markets
        self.isLevel = isLevel
        self.sentAt = sentAt
        self.echo = echo
    }
}
