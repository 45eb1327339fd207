import OrderBook

/// What a node knows of another.
struct Peer: Sendable {
    /// How far somebody's stored log of an origin goes.
    struct Position: Sendable {
        var contiguous: Int64 = 0
        var beyond: [ClosedRange<Int64>] = []
        /// It did not say all that it has behind the last of these.
        var isCut = false
        var highest: Int64 = 0
        var coming: ClosedRange<Int64>?

        /// Whether it is stored there; nil where that was not said, or it may be on its way.
        func has(_ number: Int64) -> Bool? {
            if number <= contiguous { return true }
            if beyond.contains(where: { $0.contains(number) }) { return true }
            if let coming, coming.contains(number) { return nil }
            return isCut && number > (beyond.last?.upperBound ?? contiguous) ? nil : false
        }
    }

    // MARK: The connection

    var isConnected = false
    /// It said `hello`, and it fits.
    var isIntroduced = false
    /// Its members are those that this node knows.
    var hasSameMembers = false
    var heardAt: Int64 = 0
    var connectedAt: Int64 = 0
    /// What it had after the connection was made is here: what was lost with an earlier connection, too.
    var isSynced = false
    /// Of its last heartbeat on this connection: what shall be echoed.
    var echo: Heartbeat.Echo?
    /// The last of this node's heartbeats that it had when it sent its last.
    var echoedNumber: Int64 = 0

    // MARK: What it said, which holds when the connection is gone

    var isLevel = false
    /// By origin.
    var positions: [Position]
    var closedThrough = Timestamp(.min)
    /// What was promised up to here is stored here.
    var promiseKept = Timestamp(.min)
    /// Watermarks of which numbers are missing here, rising; at most `promisesMax`.
    var promises: [(through: Timestamp, lastNumber: Int64)] = []
    /// Of this node's own waiting commands, those that came too late there.
    var refused: [Int64] = []

    // MARK: Level

    /// What it had when it answered to the first heartbeat since the connection was made, or since this node is not level.
    var snapshot: [Position]?
    /// By origin: it has sent all that it has up to here.
    var answeredThrough: [Int64]

    // MARK: Agreement

    var agreed = Timestamp(.min)
    /// A point of its chain that this node has not reached.
    var nextPoint: ChainPoint?
    var differs = false
    /// A market in which it has another result.
    var differingMarket: String?
    var agreesOnResults = false
    /// Where its markets were when they were compared last.
    var marketsCompared: [MarketPosition] = []
    /// All of those were equal.
    var isComparedWhole = false

    // MARK: Counters

    var lateHere = 0
    var lateThere = 0

    static let promisesMax = 8

    init(memberCount: Int) {
        positions = Array(repeating: Position(), count: memberCount)
        answeredThrough = Array(repeating: 0, count: memberCount)
    }

    var isReachable: Bool { isConnected && isIntroduced }

    mutating func promise(through: Timestamp, lastNumber: Int64) {
        guard through > (promises.last?.through ?? promiseKept) else { return }
        if promises.count == Self.promisesMax { promises.removeLast() }
        promises.append((through, lastNumber))
    }

    /// Takes note that its log is stored here up to a number.
    mutating func keepPromises(contiguous: Int64) {
        while let first = promises.first, first.lastNumber <= contiguous {
            promiseKept = max(promiseKept, first.through)
            promises.removeFirst()
        }
    }
}
