public import Wire

/// Every bound of the gateway. What is over one is told so: `busy` on a socket, 429 or 503 over HTTP.
public struct GatewayLimits: Sendable {
    /// The bounds of one message.
    public var wire: WireLimits
    /// TCP connections at once; more wait in the listen queue.
    public var connectionsMax: Int
    /// WebSockets at once; one more is answered 503.
    public var socketsMax: Int
    /// Frames of one message.
    public var fragmentsMax: Int
    /// Bytes that the kernel keeps for one client; beyond it they wait in its outbox.
    public var sendBufferBytes: Int
    /// Bytes that wait for a slow client; beyond it the client is cut off.
    public var outboxBytesMax: Int
    /// Commands of one socket that were not answered yet.
    public var commandsPerSocketMax: Int
    /// Open orders of one socket that are reported to it.
    public var ordersPerSocketMax: Int
    /// Commands of all clients that wait to be entered.
    public var commandsQueuedMax: Int
    /// Commands entered with one statement.
    public var commandsPerBatchMax: Int
    /// Batches handed to the entrance and not answered yet: one is put together and sent while the last commits.
    public var batchesUnderWayMax: Int
    /// How long entering is tried again while the database is away; after that clients are told.
    public var entranceRetryMilliseconds: Int64
    /// Orders and commands looked up with one statement.
    public var ordersPerQueryMax: Int
    /// Trades sent on open.
    public var tradesOnOpen: Int
    /// Trades in one message; more come in several.
    public var tradesPerMessageMax: Int
    /// How long one request for candles may take in the database.
    public var candleMillisecondsMax: Int64
    /// Until the first bytes of a connection, and of an idle HTTP connection until the next.
    public var idleMillisecondsMax: Int64
    /// Between pings to a silent WebSocket; one that misses two is cut off.
    public var pingIntervalMilliseconds: Int64
    /// How long a closed socket may take to take notice.
    public var closeMillisecondsMax: Int64
    /// Books and trades to one shard are gathered at least this long into one flush.
    public var flushIntervalMilliseconds: Int64
    /// Order events follow the market by at least this.
    public var orderEventIntervalMilliseconds: Int64
    /// Between looks at open orders that nothing points at, `ordersPerQueryMax` at a time.
    public var sweepIntervalMilliseconds: Int64

    public init(
        wire: WireLimits = WireLimits(), connectionsMax: Int = 4_096, socketsMax: Int = 2_048, fragmentsMax: Int = 16,
        sendBufferBytes: Int = 256 << 10, outboxBytesMax: Int = 1 << 20, commandsPerSocketMax: Int = 4_096,
        ordersPerSocketMax: Int = 10_000,
        commandsQueuedMax: Int = 32_768, commandsPerBatchMax: Int = 1_000, batchesUnderWayMax: Int = 2,
        entranceRetryMilliseconds: Int64 = 5_000,
        ordersPerQueryMax: Int = 2_000,
        tradesOnOpen: Int = 50, tradesPerMessageMax: Int = 500, candleMillisecondsMax: Int64 = 5_000,
        idleMillisecondsMax: Int64 = 30_000,
        pingIntervalMilliseconds: Int64 = 20_000,
        closeMillisecondsMax: Int64 = 2_000, flushIntervalMilliseconds: Int64 = 2,
        orderEventIntervalMilliseconds: Int64 = 5, sweepIntervalMilliseconds: Int64 = 100
    ) {
        self.wire = wire
        self.connectionsMax = connectionsMax
        self.socketsMax = socketsMax
        self.fragmentsMax = fragmentsMax
        self.sendBufferBytes = sendBufferBytes
        self.outboxBytesMax = outboxBytesMax
        self.commandsPerSocketMax = commandsPerSocketMax
        self.ordersPerSocketMax = ordersPerSocketMax
        self.commandsQueuedMax = commandsQueuedMax
        self.commandsPerBatchMax = commandsPerBatchMax
        self.batchesUnderWayMax = batchesUnderWayMax
        self.entranceRetryMilliseconds = entranceRetryMilliseconds
        self.ordersPerQueryMax = ordersPerQueryMax
        self.tradesOnOpen = tradesOnOpen
        self.tradesPerMessageMax = tradesPerMessageMax
        self.candleMillisecondsMax = candleMillisecondsMax
        self.idleMillisecondsMax = idleMillisecondsMax
        self.pingIntervalMilliseconds = pingIntervalMilliseconds
        self.closeMillisecondsMax = closeMillisecondsMax
        self.flushIntervalMilliseconds = flushIntervalMilliseconds
        self.orderEventIntervalMilliseconds = orderEventIntervalMilliseconds
        self.sweepIntervalMilliseconds = sweepIntervalMilliseconds
    }

    /// The relations between bounds that must hold, in words; nil when all do.
    public var contradiction: String? {
        if wire.messageBytesMax >= outboxBytesMax { return "messageBytesMax must be below outboxBytesMax" }
        if socketsMax > connectionsMax { return "socketsMax must not be above connectionsMax" }
        if commandsPerSocketMax > commandsQueuedMax {
            return "commandsPerSocketMax must not be above commandsQueuedMax"
        }
        let all = [
            connectionsMax, socketsMax, fragmentsMax, sendBufferBytes, tradesPerMessageMax, commandsPerSocketMax,
            ordersPerSocketMax, commandsPerBatchMax, batchesUnderWayMax, ordersPerQueryMax,
            Int(idleMillisecondsMax),
            Int(pingIntervalMilliseconds),
            Int(closeMillisecondsMax), Int(orderEventIntervalMilliseconds),
        ]
        return all.contains { $0 < 1 } ? "every bound must be at least 1" : nil
    }
}
