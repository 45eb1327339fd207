/// Where a WebSocket is found: its shard, and its number there.
struct SocketID: Hashable, Sendable {
    var shard: Int
    var number: UInt64
}
