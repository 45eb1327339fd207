/// Every bound of the connections between nodes. Times are milliseconds.
public struct MeshLimits: Sendable {
    /// Payload of one frame.
    public var frameBytesMax = 4 << 20
    /// Per peer: what may have come and was not taken by the consumer. A peer sends no more than it was given credit for.
    public var inboxBytesMax = 8 << 20
    /// Per peer: above this much waiting, pushed and relayed commands are dropped; the peer will pull them.
    public var pushBytesMax = 8 << 20
    /// Per peer: above this much waiting, the connection is ended.
    public var outboxBytesMax = 16 << 20
    /// Per peer: bytes of a snapshot on their way.
    public var snapshotBytesMax = 2 << 20
    /// Bytes of one part of a snapshot; between two parts messages go.
    public var snapshotPartBytes = 64 << 10
    /// Accepted connections that have not shown a certificate yet.
    public var strangersMax = 32
    /// Frames taken from one peer in a second; then its socket is not read for a while.
    public var framesPerSecondMax = 20_000
    /// Bytes taken from one peer in a second.
    public var bytesPerSecondMax = 128 << 20
    /// From the first byte of a connection until both sides have opened it.
    public var handshakeTimeout: Int64 = 5_000
    /// A connection on which nothing came for so long is ended.
    public var idleTimeout: Int64 = 5_000
    /// Between signs of life where nothing else is sent.
    public var pingInterval: Int64 = 1_000
    /// A peer may replace a connection on which nothing came for so long.
    public var staleAfter: Int64 = 2_500
    /// The first wait before dialling again; it doubles, with jitter.
    public var dialDelayMin: Int64 = 100
    public var dialDelayMax: Int64 = 5_000
    /// The later of two names waits so long before it dials: usually the other has dialled by then.
    public var dialDelayOfLater: Int64 = 250
    /// At most one log line per reason in this time.
    public var logInterval: Int64 = 10_000

    public init() {}

    /// The relations between bounds that must hold, in words; nil when all do.
    public var contradiction: String? {
        if creditAlways < Frame.cost(frameBytesMax) { return "inboxBytesMax must be well above frameBytesMax" }
        if pushBytesMax > outboxBytesMax { return "pushBytesMax must not be above outboxBytesMax" }
        if Frame.cost(frameBytesMax) > outboxBytesMax { return "frameBytesMax must be below outboxBytesMax" }
        if snapshotPartBytes > snapshotBytesMax { return "snapshotPartBytes must not be above snapshotBytesMax" }
        if pingInterval >= staleAfter { return "pingInterval must be below staleAfter" }
        if staleAfter > idleTimeout { return "staleAfter must not be above idleTimeout" }
        if dialDelayMin > dialDelayMax { return "dialDelayMin must not be above dialDelayMax" }
        let all = [
            frameBytesMax, snapshotPartBytes, strangersMax, framesPerSecondMax, bytesPerSecondMax,
            Int(handshakeTimeout), Int(pingInterval), Int(dialDelayMin),
        ]
        return all.contains { $0 < 1 } ? "every bound must be at least 1" : nil
    }

    /// Credit is given back when at least this much has been taken, so that a frame of credit pays.
    var creditStep: Int { inboxBytesMax / 4 }

    /// What a peer has at least, once the consumer has taken everything: the largest frame must fit.
    private var creditAlways: Int { inboxBytesMax - creditStep }
}
