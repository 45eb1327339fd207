import NIOCore
import OrderBook
import Synchronization
import Wire

/// The sockets of one event loop and who of them follows which market. Lives on that loop alone.
final class HubShard {
    let index: Int
    private let eventLoop: any EventLoop
    private let flushInterval: TimeAmount
    private let followings: Hub.FollowingCount
    private var sockets: [UInt64: WebSocketHandler] = [:]
    /// In the order in which they appeared.
    private var markets: [FollowedMarket] = []
    private var places: [String: Int] = [:]
    /// Those who follow all markets.
    private var followersOfAll: Set<UInt64> = []
    /// What sockets are told of this node before they are told of markets.
    private var notice: ByteBuffer?
    private var lastNumber: UInt64 = 0
    private var unflushed: Set<UInt64> = []
    /// Of the deliveries at hand; kept for its capacity.
    private var answered: Set<UInt64> = []
    private var isFlushScheduled = false
    private var busyPace: BusyPace
    private var flushedAt = NIODeadline.uptimeNanoseconds(0)

    private struct FollowedMarket {
        /// Those who follow it by name.
        var followers: Set<UInt64> = []
        var book: ByteBuffer?
        var recent: TradesMessage
        /// `recent` as a frame, made when the first client asks for it.
        var recentFrame: ByteBuffer?
    }

    init(index: Int, eventLoop: any EventLoop, followings: Hub.FollowingCount, limits: GatewayLimits) {
        self.index = index
        self.followings = followings
        self.eventLoop = eventLoop
        flushInterval = .milliseconds(limits.flushIntervalMilliseconds)
        busyPace = BusyPace(
            perSecond: limits.busyPerSecond, burst: limits.busyBurst, addressesMax: limits.guessAddressesMax)
    }

    var socketCount: Int { sockets.count }

    func nextID() -> SocketID {
        lastNumber += 1
        return SocketID(shard: index, number: lastNumber)
    }

    // MARK: Sockets come and go

    /// Follows all markets there are and will be.
    func add(_ socket: WebSocketHandler) {
        sockets[socket.state.id.number] = socket
        followersOfAll.insert(socket.state.id.number)
        count(1)
        if let notice { socket.push(notice) }
    }

    func remove(_ socket: WebSocketHandler) {
        guard sockets.removeValue(forKey: socket.state.id.number) != nil else { return }
        unfollow(socket)
        unflushed.remove(socket.state.id.number)
    }

    /// Closes the sockets whose token is not good any more.
    func dropRevoked() {
        for socket in Array(sockets.values) { socket.dropIfRevoked() }
    }

    // MARK: Subscriptions

    func knows(_ security: String) -> Bool { places[security] != nil }

    /// From now on the socket follows these, and none of those before.
    func follow(_ socket: WebSocketHandler, _ securities: [String]) {
        unfollow(socket)
        let wanted = securities.compactMap { places[$0] }
        for place in wanted { markets[place].followers.insert(socket.state.id.number) }
        count(wanted.count)
        socket.follow(wanted)
    }

    private func unfollow(_ socket: WebSocketHandler) {
        let number = socket.state.id.number
        if followersOfAll.remove(number) != nil { count(-1) }
        let named = socket.following.named
        for place in named { markets[place].followers.remove(number) }
        count(-named.count)
    }

    private func count(_ change: Int) { followings.value.wrappingAdd(change, ordering: .relaxed) }

    var marketCount: Int { markets.count }

    func book(of place: Int) -> ByteBuffer? { markets[place].book }

    func recentTrades(of place: Int) -> ByteBuffer {
        let frame = markets[place].recentFrame ?? FrameBytes.text(markets[place].recent)
        markets[place].recentFrame = frame
        return frame
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
            let place = place(of: update)
            tell(followersOfAll, update, place)
            tell(markets[place].followers, update, place)
        }
        scheduleFlush()
    }

    /// Notes what there is to be sent of the market from now on.
    private func place(of update: MarketFrames) -> Int {
        guard let place = places[update.security] else {
            markets.append(FollowedMarket(book: update.book, recent: update.recent))
            places[update.security] = markets.count - 1
            return markets.count - 1
        }
        if let book = update.book { markets[place].book = book }
        if !update.trades.isEmpty {
            markets[place].recent = update.recent
            markets[place].recentFrame = nil
        }
        return place
    }

    private func tell(_ followers: Set<UInt64>, _ update: MarketFrames, _ place: Int) {
        for number in followers {
            guard let socket = sockets[number] else { continue }
            // Whoever has not been sent the market yet is sent it as it is when its turn comes.
            if socket.following.hasSnapshot(of: place) {
                for trades in update.trades { socket.push(trades) }
                if update.book != nil { socket.pushBook(place) }
            }
            unflushed.insert(number)
        }
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

    // MARK: Too much

    /// A socket of the address was told that there is no room for what it sends.
    func toldBusy(_ address: ClientAddress) { busyPace.told(address) }

    /// How long such a socket is not read.
    func busyPause(_ address: ClientAddress) -> TimeAmount? { busyPace.pause(address, now: .now()) }

    /// Whether such a socket reads on after it was not; if not, how long it has to wait.
    func resumeBusy(_ address: ClientAddress) -> TimeAmount? { busyPace.resume(address, now: .now()) }

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
