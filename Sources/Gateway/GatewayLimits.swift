import NIOCore
import NIOHTTP1
public import Wire

/// Every bound of the gateway. What is over one is told so: `busy` on a socket, 429 or 503 over HTTP.
public struct GatewayLimits: Sendable {
    /// The bounds of one message.
    public var wire: WireLimits
    /// TCP connections at once; more wait to be accepted.
    public var connectionsMax: Int
    /// Of one address; one more is answered 429.
    public var connectionsPerAddressMax: Int
    /// TCP connections that wait to be accepted, as far as the system lets so many; others try again after a second.
    public var connectionsWaitingMax: Int
    /// TCP connections accepted in a second.
    public var connectionsPerSecond: Int
    /// As many may come at once.
    public var connectionsBurst: Int
    /// WebSockets at once; one more is answered 503.
    public var socketsMax: Int
    /// Of one address; one more is answered 429. Behind a proxy all clients have one address.
    public var socketsPerAddressMax: Int
    /// The request line and all headers of a request over HTTP.
    public var headerBytesMax: Int
    /// Headers of a request over HTTP.
    public var headersMax: Int
    /// Until a request over HTTP has come whole, from its first byte.
    public var requestMillisecondsMax: Int64
    /// A client must take some of its answers over HTTP in this time.
    public var responseMillisecondsMax: Int64
    /// Wrong tokens of one address before it has to wait, longer with each.
    public var wrongTokensMax: Int
    /// Wrong tokens of one socket before it is closed.
    public var wrongTokensPerSocketMax: Int
    /// Addresses remembered because of their tokens.
    public var guessAddressesMax: Int
    /// Frames of one message.
    public var fragmentsMax: Int
    /// Pings, pieces and wrong messages of one socket in a second; a subscription counts for more. Beyond it the socket is
    /// read more slowly.
    public var sideFramesPerSecond: Int
    /// As many may come at once.
    public var sideFramesBurst: Int
    /// Answers `busy` in a second to the sockets of one address on one event loop; beyond it they are read more slowly.
    public var busyPerSecond: Int
    /// As many may come at once.
    public var busyBurst: Int
    /// Bytes read on one event loop in one turn; connections that have more to say wait for each other.
    public var readBytesPerTurn: Int
    /// How long those who wait do so at least.
    public var readTurnMicroseconds: Int64
    /// How long others wait for one request over HTTP; one that takes longer is served on beside them.
    public var requestTurnMillisecondsMax: Int64
    /// Bytes that the kernel keeps for one client; beyond it they wait in its outbox.
    public var sendBufferBytes: Int
    /// Bytes that wait for a client that does not read; beyond it the client is cut off when it has had its time.
    public var outboxBytesMax: Int
    /// Bytes that wait for a client, whether it reads or not.
    public var outboxBytesEverMax: Int
    /// A client that has more waiting than `outboxBytesMax` must take a quarter of that in this time.
    public var outboxMillisecondsMax: Int64
    /// Commands of one socket that were not answered yet.
    public var commandsPerSocketMax: Int
    /// Open orders of one socket that are reported to it.
    public var ordersPerSocketMax: Int
    /// Commands of all clients that wait to be entered.
    public var commandsQueuedMax: Int
    /// Commands entered with one statement.
    public var commandsPerBatchMax: Int
    /// The same while some senders have more in line than a batch takes and others have little.
    public var commandsPerShortBatchMax: Int
    /// A batch that takes longer makes the next smaller.
    public var batchMilliseconds: Int64
    /// The same for short ones.
    public var shortBatchMilliseconds: Int64
    /// Batches handed to the entrance and not answered yet: one is put together and sent while the last commits.
    public var batchesUnderWayMax: Int
    /// How long entering is tried again while the database is away; after that clients are told.
    public var entranceRetryMilliseconds: Int64
    /// How long a batch that was handed over may take; after that clients are told that its outcome is not known.
    public var batchMillisecondsMax: Int64
    /// How often it is looked for batches that take longer.
    public var deadlineTickMilliseconds: Int64
    /// How often it is looked whether sockets must be told that the node is ready, or not any more.
    public var readinessTickMilliseconds: Int64
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
        wire: WireLimits = WireLimits(), connectionsMax: Int = 4_096, connectionsPerAddressMax: Int = 2_048,
        connectionsWaitingMax: Int = 512, connectionsPerSecond: Int = 2_000, connectionsBurst: Int = 4,
        socketsMax: Int = 2_048, socketsPerAddressMax: Int = 1_024, headerBytesMax: Int = 16_384, headersMax: Int = 100,
        requestMillisecondsMax: Int64 = 10_000, responseMillisecondsMax: Int64 = 10_000, wrongTokensMax: Int = 10,
        wrongTokensPerSocketMax: Int = 3, guessAddressesMax: Int = 16_384, fragmentsMax: Int = 16,
        sideFramesPerSecond: Int = 1_000, sideFramesBurst: Int = 2_000,
        busyPerSecond: Int = 500, busyBurst: Int = 2_000, readBytesPerTurn: Int = 4_096,
        readTurnMicroseconds: Int64 = 100, requestTurnMillisecondsMax: Int64 = 20,
        sendBufferBytes: Int = 256 << 10, outboxBytesMax: Int = 1 << 20, outboxBytesEverMax: Int = 16 << 20,
        outboxMillisecondsMax: Int64 = 5_000, commandsPerSocketMax: Int = 4_096,
        ordersPerSocketMax: Int = 10_000,
        commandsQueuedMax: Int = 32_768, commandsPerBatchMax: Int = 1_000, commandsPerShortBatchMax: Int = 64,
        batchMilliseconds: Int64 = 25, shortBatchMilliseconds: Int64 = 4,
        batchesUnderWayMax: Int = 2,
        entranceRetryMilliseconds: Int64 = 5_000, batchMillisecondsMax: Int64 = 3_000,
        deadlineTickMilliseconds: Int64 = 200, readinessTickMilliseconds: Int64 = 200,
        ordersPerQueryMax: Int = 2_000,
        tradesOnOpen: Int = 50, tradesPerMessageMax: Int = 500, candleMillisecondsMax: Int64 = 5_000,
        idleMillisecondsMax: Int64 = 30_000,
        pingIntervalMilliseconds: Int64 = 20_000,
        closeMillisecondsMax: Int64 = 2_000, flushIntervalMilliseconds: Int64 = 2,
        orderEventIntervalMilliseconds: Int64 = 5, sweepIntervalMilliseconds: Int64 = 100
    ) {
        self.wire = wire
        self.connectionsMax = connectionsMax
        self.connectionsPerAddressMax = connectionsPerAddressMax
        self.connectionsWaitingMax = connectionsWaitingMax
        self.connectionsPerSecond = connectionsPerSecond
        self.connectionsBurst = connectionsBurst
        self.socketsMax = socketsMax
        self.socketsPerAddressMax = socketsPerAddressMax
        self.headerBytesMax = headerBytesMax
        self.headersMax = headersMax
        self.requestMillisecondsMax = requestMillisecondsMax
        self.responseMillisecondsMax = responseMillisecondsMax
        self.wrongTokensMax = wrongTokensMax
        self.wrongTokensPerSocketMax = wrongTokensPerSocketMax
        self.guessAddressesMax = guessAddressesMax
        self.fragmentsMax = fragmentsMax
        self.sideFramesPerSecond = sideFramesPerSecond
        self.sideFramesBurst = sideFramesBurst
        self.busyPerSecond = busyPerSecond
        self.busyBurst = busyBurst
        self.readBytesPerTurn = readBytesPerTurn
        self.readTurnMicroseconds = readTurnMicroseconds
        self.requestTurnMillisecondsMax = requestTurnMillisecondsMax
        self.sendBufferBytes = sendBufferBytes
        self.outboxBytesMax = outboxBytesMax
        self.outboxBytesEverMax = outboxBytesEverMax
        self.outboxMillisecondsMax = outboxMillisecondsMax
        self.commandsPerSocketMax = commandsPerSocketMax
        self.ordersPerSocketMax = ordersPerSocketMax
        self.commandsQueuedMax = commandsQueuedMax
        self.commandsPerBatchMax = commandsPerBatchMax
        self.commandsPerShortBatchMax = commandsPerShortBatchMax
        self.batchMilliseconds = batchMilliseconds
        self.shortBatchMilliseconds = shortBatchMilliseconds
        self.batchesUnderWayMax = batchesUnderWayMax
        self.entranceRetryMilliseconds = entranceRetryMilliseconds
        self.batchMillisecondsMax = batchMillisecondsMax
        self.deadlineTickMilliseconds = deadlineTickMilliseconds
        self.readinessTickMilliseconds = readinessTickMilliseconds
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
        if outboxBytesMax > outboxBytesEverMax { return "outboxBytesMax must not be above outboxBytesEverMax" }
        if ordersPerSocketMax * Outbox.deliveryBytes * 2 > outboxBytesEverMax {
            return "outboxBytesEverMax must hold two events of each of ordersPerSocketMax orders"
        }
        if socketsMax > connectionsMax { return "socketsMax must not be above connectionsMax" }
        if commandsPerSocketMax > commandsQueuedMax {
            return "commandsPerSocketMax must not be above commandsQueuedMax"
        }
        let all = [
            connectionsMax, connectionsPerAddressMax, socketsMax, socketsPerAddressMax, headerBytesMax, headersMax,
            wrongTokensMax, wrongTokensPerSocketMax, guessAddressesMax, fragmentsMax, sideFramesPerSecond,
            sideFramesBurst, busyPerSecond, busyBurst, connectionsWaitingMax, connectionsPerSecond, connectionsBurst,
            readBytesPerTurn, Int(readTurnMicroseconds),
            Int(requestTurnMillisecondsMax), sendBufferBytes, tradesPerMessageMax, commandsPerSocketMax,
            ordersPerSocketMax, commandsPerBatchMax, commandsPerShortBatchMax, Int(batchMilliseconds),
            Int(shortBatchMilliseconds), batchesUnderWayMax, ordersPerQueryMax,
            Int(requestMillisecondsMax), Int(responseMillisecondsMax), Int(outboxMillisecondsMax),
            Int(idleMillisecondsMax), Int(batchMillisecondsMax), Int(deadlineTickMilliseconds),
            Int(pingIntervalMilliseconds),
            Int(closeMillisecondsMax), Int(orderEventIntervalMilliseconds),
        ]
        return all.contains { $0 < 1 } ? "every bound must be at least 1" : nil
    }

    var http: NIOHTTPDecoderLimitConfiguration {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = headerBytesMax
        limits.maxHeaderListSize = headerBytesMax
        limits.maxHeaderFieldCount = headersMax
        return limits
    }

    var outbox: Outbox.Bounds {
        Outbox.Bounds(
            bytesMax: outboxBytesMax, bytesEverMax: outboxBytesEverMax, patience: .milliseconds(outboxMillisecondsMax))
    }
}
