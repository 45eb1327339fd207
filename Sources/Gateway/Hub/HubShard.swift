import NIOCore
import OrderBook
import Synchronization
import Wire

/// The sockets of one event loop and who of them follows which market. Lives on that loop alone.
final class HubShard {
    let index: Int
    private let eventLoop: any EventLoop
    private let flushInterval: TimeAmount
    private let securitiesMax: Int
    private let followings: Hub.FollowingCount
    private var sockets: [UInt64: WebSocketHandler] = [:]
    private var markets: [String: FollowedMarket] = [:]
    /// What sockets are told of this node before they are told of markets.
    private var notice: ByteBuffer?
    private var lastNumber: UInt64 = 0
    private var unflushed: Set<UInt64> = []
    /// Of the deliveries at hand; kept for its capacity.
    private var answered: Set<UInt64> = []
    private var isFlushScheduled = false
    private var flushedAt = NIODeadline.uptimeNanoseconds(0)

    private struct FollowedMarket {
        var followers: Set<UInt64> = []
        var book: ByteBuffer?
        var recent: TradesMessage?
        /// `recent` as a frame, made when the first client asks for it.
        var recentFrame: ByteBuffer?
    }

    init(index: Int, eventLoop: any EventLoop, followings: Hub.FollowingCount, limits: GatewayLimits) {
        self.index = index
        self.followings = followings
        self.eventLoop = eventLoop
        flushInterval = .milliseconds(limits.flushIntervalMilliseconds)
        securitiesMax = limits.wire.securitiesMax
    }

    var socketCount: Int { sockets.count }

    func nextID() -> SocketID {
        lastNumber += 1
        return SocketID(shard: index, number: lastNumber)
    }

    // MARK: Sockets come and go

    /// Follows all markets there are, as many as one socket may.
    func add(_ socket: WebSocketHandler) {
        sockets[socket.state.id.number] = socket
        if let notice { socket.push(notice) }
        let securities = Array(markets.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.prefix(securitiesMax))
        socket.subscribedAtOpen(to: securities)
        follow(socket, securities)
    }

    func remove(_ socket: WebSocketHandler) {
        guard sockets.removeValue(forKey: socket.state.id.number) != nil else { return }
        unfollow(socket, socket.state.securities)
        unflushed.remove(socket.state.id.number)
    }

    // MARK: Subscriptions

    func knows(_ security: String) -> Bool { markets[security] != nil }

    /// Sends the book and the last trades, and from now on what changes.
    func follow(_ socket: WebSocketHandler, _ securities: some Sequence<String>) {
        for security in securities {
            if markets[security]?.followers.insert(socket.state.id.number).inserted == true { count(1) }
            sendSnapshot(of: security, to: socket)
        }
    }

    func unfollow(_ socket: WebSocketHandler, _ securities: some Sequence<String>) {
        for security in securities where markets[security]?.followers.remove(socket.state.id.number) != nil {
            count(-1)
        }
    }

    private func count(_ change: Int) { followings.value.wrappingAdd(change, ordering: .relaxed) }

    private func sendSnapshot(of security: String, to socket: WebSocketHandler) {
        guard let market = markets[security] else { return }
        if let book = market.book { socket.pushBook(book, market: security) }
        guard let recent = market.recent else { return }
        let frame = market.recentFrame ?? FrameBytes.text(recent)
        markets[security]?.recentFrame = frame
        socket.push(frame)
    }

    // MARK: What happened

    func announce(_ frame: ByteBuffer, isStanding: Bool) {
        notice = isStanding ? frame : nil
        for (number, socket) in sockets {
            socket.push(frame)
            unflushed.insert(number)
        }
        scheduleFlush()
    }

    /// Hands on what happened in the markets, each client's share in one flush.
    func publish(_ updates: [MarketFrames]) {
        for update in updates {
            let isNew = markets[update.security] == nil
            if isNew { markets[update.security] = FollowedMarket(followers: followersOfNewMarket(update.security)) }
            if let book = update.book { markets[update.security]?.book = book }
            if isNew || !update.trades.isEmpty {
                markets[update.security]?.recent = update.recent
                markets[update.security]?.recentFrame = nil
            }
            for number in markets[update.security]?.followers ?? [] {
                guard let socket = sockets[number] else { continue }
                if isNew {
                    sendSnapshot(of: update.security, to: socket)
                } else {
                    for trades in update.trades { socket.push(trades) }
                    if let book = update.book { socket.pushBook(book, market: update.security) }
                }
                unflushed.insert(number)
            }
        }
        scheduleFlush()
    }

    private func followersOfNewMarket(_ security: String) -> Set<UInt64> {
        let followers = Set(sockets.filter { $0.value.marketAppeared(security) }.keys)
        count(followers.count)
        return followers
    }

    /// Hands on what other threads have for single sockets. Those that are gone miss nothing.
    ///
    /// Flushed at once: somebody waits for it, and the answers to one batch of commands come together already.
    func deliver(_ deliveries: [Delivery]) {
        for delivery in deliveries {
            let number = delivery.socket.number
            if sockets[number]?.deliver(delivery) == true { answered.insert(number) }
        }
        for number in answered {
            sockets[number]?.flush()
            unflushed.remove(number)
        }
        answered.removeAll(keepingCapacity: true)
    }

    // MARK: Flushing

    /// A write to the socket is what fan-out costs: at once when it is quiet, gathered when it is not.
    private func scheduleFlush() {
        guard !isFlushScheduled, !unflushed.isEmpty else { return }
        let next = flushedAt + flushInterval
        if next <= .now() { return flushAll() }
        isFlushScheduled = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(deadline: next) {
            bound.value.isFlushScheduled = false
            bound.value.flushAll()
        }
    }

    private func flushAll() {
        flushedAt = .now()
        let numbers = unflushed
        unflushed.removeAll(keepingCapacity: true)
        for number in numbers { sockets[number]?.flush() }
    }
}
