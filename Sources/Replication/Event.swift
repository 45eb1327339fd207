public import OrderBook

/// What happens to a node.
public enum Event: Sendable {
    /// Time has passed. Comes at least every `tickInterval`; a longer gap means that the process stood still.
    case tick
    /// Commands of this node's own users, durable in the database and not stamped yet, in the order in which they shall be.
    /// Each comes once; those in `StoredState.entered` do not come again.
    case entered([Command])
    /// A write is durable. Writes become durable in the order in which they were asked for.
    ///
    /// - Parameter duplicates: what the write was to number or store as accepted, and what the database stored as `duplicate`
    ///   instead, because a command with the same id was accepted and closed before.
    case written(WriteNumber, duplicates: [LogRange])
    /// A connection to a peer stands and its certificate fits; `hello` comes as its first message.
    case connected(NodeName)
    case disconnected(NodeName)
    case received(Message, from: NodeName)
    /// What `Action.read` asked for: what this node has of it, in the order of the ranges and of their numbers.
    ///
    /// - Parameter isComplete: false where the shell stopped at a bound (`itemsPerReadMax`, or one of bytes); then everything
    ///   up to the last item is there.
    case found(ReadNumber, [JudgedItem], isComplete: Bool)
    /// The matcher has executed up to here.
    case executed([MarketPosition])
    /// What `Action.compare` asked for: the peer's positions at which this node has the same digest head, and this node's
    /// own positions where it has another. Positions that it has not reached, or does not remember, are in neither.
    case compared(with: NodeName, equal: [MarketPosition], differing: [MarketPosition])
    /// All results were computed again from the log, because of `Action.check` or as it is done now and then: nil, or the
    /// first thing in the tables that does not follow from it.
    case checked(found: String?)
    /// The database holds another node's state now; the machine begins anew from it.
    case rebuilt(StoredState)
    /// `Action.rebuild` came to nothing (the peer is gone, or is not level itself); the database is as it was.
    case notRebuilt(because: String)
}

/// What a node shall do, in this order.
public enum Action: Sendable {
    /// All or nothing, durable before `written`; strictly one after the other.
    case write(WriteNumber, [Write])
    /// Dropped where there is no connection. The shell puts its markets into a `hello`.
    case send(Message, to: NodeName)
    /// Read from the log, for a peer.
    case read(ReadNumber, [LogRange])
    /// Look up this node's own digests at a peer's positions.
    case compare(with: NodeName, [MarketPosition])
    /// Compute all results again from the log; a computation that is under way already does.
    case check
    /// Replace the state by a copy of a peer's.
    case rebuild(from: NodeName)
    case disconnect(NodeName, because: String)
    /// Something that an operator should know: one log line and one counter.
    case report(Report)
}

public struct WriteNumber: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

public struct ReadNumber: RawRepresentable, Hashable, Sendable {
    public var rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// An effect on the database.
public enum Write: Hashable, Sendable {
    /// This node's own commands get their stamps and numbers; the accepted go into their pools, the others are refused.
    case number([JudgedItem])
    /// Commands of other nodes (after a loss of the database, of this one too) go into the log; the accepted into their pools.
    case store([JudgedItem])
    /// Commands of any origin, stored before as accepted and not yet closed, are refused.
    case refuse([LogRange], Verdict)
    /// Pools up to this time are closed: they may be executed, nothing at or below is accepted any more.
    case close(ChainPoint)
    /// No stamp at or below this is given after a restart. It may be lower than the one before, but never
    /// than what was promised.
    case bound(Timestamp)
    case propose([Proposal], from: NodeName)
    case withdraw([OrderID])
    /// Whether this node takes orders, and why not, in one line.
    case admit(Bool, because: String?)
    /// All nodes agreed up to here.
    case agreed(Timestamp)
}

/// What the database holds when a node starts.
public struct StoredState: Hashable, Sendable {
    public var closed: ChainPoint
    public var bound: Timestamp
    public var agreed: Timestamp
    /// Per origin, what is stored; its own log too.
    public var logs: [Log]
    /// Accepted and not closed.
    public var waiting: [LogItem]
    /// This node's commands without a stamp.
    public var entered: [Command]
    public var proposals: [NodeName: [Proposal]]

    public struct Log: Hashable, Sendable {
        public var origin: NodeName
        /// Ranges of stored numbers, rising, with gaps between them.
        public var stored: [ClosedRange<Int64>]
        /// The stamp of the highest number.
        public var lastStamp: Timestamp?

        public init(origin: NodeName, stored: [ClosedRange<Int64>], lastStamp: Timestamp?) {
            self.origin = origin
            self.stored = stored
            self.lastStamp = lastStamp
        }
    }

    public init(
        closed: ChainPoint, bound: Timestamp, agreed: Timestamp, logs: [Log] = [], waiting: [LogItem] = [],
        entered: [Command] = [], proposals: [NodeName: [Proposal]] = [:]
    ) {
        self.closed = closed
        self.bound = bound
        self.agreed = agreed
        self.logs = logs
        self.waiting = waiting
        self.entered = entered
        self.proposals = proposals
    }
}

/// What an operator should know.
public struct Report: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case late, duplicate, tooFarInFuture, forged, malformed, clockOff, clockRight, diverged, rebuilding, level,
            behind, gap, overflow, mismatch
    }

    public var kind: Kind
    public var peer: NodeName?
    /// One line for a person, with the value at fault.
    public var text: String

    public init(_ kind: Kind, peer: NodeName? = nil, _ text: String) {
        self.kind = kind
        self.peer = peer
        self.text = text
    }
}
