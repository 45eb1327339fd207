import NIOCore
import Synchronization

/// All WebSockets of the gateway, by event loop.
final class Hub: Sendable {
    private let loops: [any EventLoop]
    private let shards: [NIOLoopBound<HubShard>]
    /// What waits for the next `deliver`, by shard. As long as what the desk and the tracker have under way.
    private let mailboxes: [Mailbox]
    private let indexes: [ObjectIdentifier: Int]
    private let limits: GatewayLimits
    private let count = Atomic<Int>(0)
    private let followings: FollowingCount

    private init(
        loops: [any EventLoop], shards: [NIOLoopBound<HubShard>], followings: FollowingCount, limits: GatewayLimits
    ) {
        self.loops = loops
        self.shards = shards
        self.followings = followings
        self.limits = limits
        mailboxes = shards.map { _ in Mailbox() }
        indexes = Dictionary(uniqueKeysWithValues: loops.enumerated().map { (ObjectIdentifier($1), $0) })
    }

    /// Makes one shard on each loop of the group.
    static func make(on group: any EventLoopGroup, limits: GatewayLimits) async throws -> Hub {
        let loops = Array(group.makeIterator())
        var shards: [NIOLoopBound<HubShard>] = []
        let followings = FollowingCount()
        for (index, loop) in loops.enumerated() {
            let shard = try await loop.submit {
                NIOLoopBound(
                    HubShard(index: index, eventLoop: loop, followings: followings, limits: limits), eventLoop: loop)
            }.get()
            shards.append(shard)
        }
        return Hub(loops: loops, shards: shards, followings: followings, limits: limits)
    }

    var socketCount: Int { count.load(ordering: .relaxed) }

    /// Whether any socket follows any market.
    var hasFollowers: Bool { followings.value.load(ordering: .relaxed) > 0 }

    /// The shard of a loop of the group; call it on that loop.
    func shard(of eventLoop: any EventLoop) -> HubShard? {
        indexes[ObjectIdentifier(eventLoop)].map { shards[$0].value }
    }

    /// Takes a place for one more socket; false when there is none. `releasePlace` gives it back.
    func takePlace() -> Bool {
        guard count.wrappingAdd(1, ordering: .relaxed).newValue <= limits.socketsMax else {
            releasePlace()
            return false
        }
        return true
    }

    func releasePlace() { count.wrappingSubtract(1, ordering: .relaxed) }

    func publish(_ updates: [MarketFrames]) {
        guard !updates.isEmpty else { return }
        for (loop, shard) in zip(loops, shards) {
            loop.execute { shard.value.publish(updates) }
        }
    }

    /// Tells all sockets something about this node, and, if it stands, those that open later.
    func announce(_ frame: ByteBuffer, isStanding: Bool) {
        for (loop, shard) in zip(loops, shards) {
            loop.execute { shard.value.announce(frame, isStanding: isStanding) }
        }
    }

    /// Closes the sockets whose token is not good any more.
    func dropRevoked() {
        for (loop, shard) in zip(loops, shards) { loop.execute { shard.value.dropRevoked() } }
    }

    /// Keeps something for a socket until the next `deliver`.
    func post(_ delivery: Delivery) {
        mailboxes[delivery.socket.shard].deliveries.withLock { $0.append(delivery) }
    }

    /// Delivers what was posted, to each socket in the order in which it was.
    func deliver() {
        for (index, mailbox) in mailboxes.enumerated() {
            let (loop, shard) = (loops[index], shards[index])
            // Under the lock, so that nobody overtakes.
            mailbox.deliveries.withLock { waiting in
                guard !waiting.isEmpty else { return }
                let deliveries = waiting
                waiting = []
                loop.execute { shard.value.deliver(deliveries) }
            }
        }
    }

    /// How many markets all sockets follow, counted once for each socket.
    final class FollowingCount: Sendable {
        let value = Atomic<Int>(0)
    }

    private final class Mailbox: Sendable {
        let deliveries = Mutex<[Delivery]>([])
    }
}
