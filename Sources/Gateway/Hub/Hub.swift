import NIOCore
import Synchronization

/// All WebSockets of the gateway, by event loop.
final class Hub: Sendable {
    private let shards: PerLoop<HubShard>
    /// What waits for the next `deliver`, by shard. As long as what the desk and the tracker have under way.
    private let mailboxes: [Mailbox]
    private let limits: GatewayLimits
    private let count = Atomic<Int>(0)
    private let followings: FollowingCount

    private init(shards: PerLoop<HubShard>, followings: FollowingCount, limits: GatewayLimits) {
        self.shards = shards
        self.followings = followings
        self.limits = limits
        mailboxes = shards.loops.map { _ in Mailbox() }
    }

    /// Makes one shard on each loop of the group.
    static func make(on group: any EventLoopGroup, limits: GatewayLimits) async throws -> Hub {
        let followings = FollowingCount()
        let shards = try await PerLoop(on: group) { index, loop in
            HubShard(index: index, eventLoop: loop, followings: followings, limits: limits)
        }
        return Hub(shards: shards, followings: followings, limits: limits)
    }

    var socketCount: Int { count.load(ordering: .relaxed) }

    /// Whether any socket follows any market.
    var hasFollowers: Bool { followings.value.load(ordering: .relaxed) > 0 }

    /// The shard of a loop of the group; call it on that loop.
    func shard(of eventLoop: any EventLoop) -> HubShard? { shards.value(on: eventLoop) }

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
        shards.onEach { $0.publish(updates) }
    }

    /// Tells all sockets something about this node, and, if it stands, those that open later.
    func announce(_ frame: ByteBuffer, isStanding: Bool) {
        shards.onEach { $0.announce(frame, isStanding: isStanding) }
    }

    /// Closes the sockets whose token is not good any more.
    func dropRevoked() { shards.onEach { $0.dropRevoked() } }

    /// Keeps something for a socket until the next `deliver`.
    func post(_ delivery: Delivery) {
        mailboxes[delivery.socket.shard].deliveries.withLock { $0.append(delivery) }
    }

    /// Delivers what was posted, to each socket in the order in which it was.
    func deliver() {
        for (index, mailbox) in mailboxes.enumerated() {
            // Under the lock, so that nobody overtakes.
            mailbox.deliveries.withLock { waiting in
                guard !waiting.isEmpty else { return }
                let deliveries = waiting
                waiting = []
                shards.execute(onLoop: index) { $0.deliver(deliveries) }
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
