public import OrderBook

/// The bounds of one inbound message.
public struct WireLimits: Hashable, Sendable {
    public var messageBytesMax: Int
    /// Objects and arrays inside each other.
    public var depthMax: Int
    /// Members of one object: keeps the search for duplicate keys short.
    public var membersMax: Int
    /// Markets in one subscription.
    public var securitiesMax: Int
    /// UTF-8 bytes of a security, a client order id or a user id.
    public var nameBytesMax: Int
    /// UTF-8 bytes of a token.
    public var tokenBytesMax: Int

    public init(
        messageBytesMax: Int = 16_384, depthMax: Int = 8, membersMax: Int = 32, securitiesMax: Int = 256,
        nameBytesMax: Int = Bounds.nameBytesMax, tokenBytesMax: Int = 4_096
    ) {
        self.messageBytesMax = messageBytesMax
        self.depthMax = depthMax
        self.membersMax = membersMax
        self.securitiesMax = securitiesMax
        self.nameBytesMax = nameBytesMax
        self.tokenBytesMax = tokenBytesMax
    }
}
