import Logging
import NIOCore
import NIOWebSocket
import OrderBook
import Wire

/// Carries out what `SocketState` decides for one client, and writes its outbox while the channel takes it.
///
/// Lives on its event loop alone, like everything it reaches through its shard.
final class WebSocketHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = ByteBuffer

    private(set) var state: SocketState
    private let shard: HubShard
    private let services: SocketServices
    private(set) var following = Following()
    private var outbox: Outbox
    /// The answer to the last ping since the last flush.
    private var pong: ByteBuffer?
    private var context: ChannelHandlerContext?
    private var hangUpTimer: Scheduled<Void>?
    private var pingTimer: RepeatedTask?
    /// Looks again at a client that is behind.
    private var watchTimer: Scheduled<Void>?
    /// Reads on after a pause.
    private var pauseTimer: Scheduled<Void>?
    /// Whether it was told, since it was last paused, that there is no room for what it sends.
    private var wasBusy = false
    /// Whether commands were taken since the last read ended.
    private var hasTaken = false

    init(state: SocketState, shard: HubShard, services: SocketServices) {
        self.state = state
        self.shard = shard
        self.services = services
        outbox = Outbox(bounds: state.limits.outbox)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        guard context.channel.isActive else { return }
        push(FrameBytes.text(WelcomeMessage(userID: state.user)))
        shard.add(self)
        flush()
        let interval = TimeAmount.milliseconds(state.limits.pingIntervalMilliseconds)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        pingTimer = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            bound.value.pingDue()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave() }

    /// Forgets everything once; whatever happens later to this handler changes nothing.
    private func leave() {
        guard context != nil else { return }
        context = nil
        handOver()
        pingTimer?.cancel()
        hangUpTimer?.cancel()
        watchTimer?.cancel()
        pauseTimer?.cancel()
        shard.remove(self)
        services.socketClosed(state)
    }

    // MARK: What the client sends

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state.frameArrived(unwrapInboundIn(data)) {
        case .nothing: break
        case .send(let frame): push(frame)
        case .pong(let frame): pong = frame
        case .enter(let command):
            services.take(command)
            hasTaken = true
        case .subscribe(let securities): subscribe(to: securities)
        case .authenticate(let token): authenticate(token)
        case .close(let code, let error): close(code, because: error)
        case .hangUp: context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        handOver()
        if let pong { push(pong) }
        pong = nil
        flush()
        pauseIfOverdrawn()
        context.fireChannelReadComplete()
    }

    /// Reads no more for a while from who sent more than its share of what is no command.
    private func pauseIfOverdrawn() {
        guard let context, pauseTimer == nil, let pause = pauseNeeded() else { return }
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        resume(after: pause, wasBusy: wasBusy)
        wasBusy = false
    }

    private func resume(after pause: TimeAmount, wasBusy: Bool) {
        guard let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        pauseTimer = context.eventLoop.scheduleTask(in: pause) {
            bound.value.pauseTimer = nil
            bound.value.resume(wasBusy: wasBusy)
        }
    }

    private func resume(wasBusy: Bool) {
        if wasBusy, let more = shard.resumeBusy(state.sender.address) { return resume(after: more, wasBusy: true) }
        try? context?.channel.syncOptions?.setOption(.autoRead, value: true)
    }

    private func pauseNeeded() -> TimeAmount? {
        let own = state.pause(now: .now())
        guard wasBusy, let shared = shard.busyPause(state.sender.address) else { return own }
        return max(own ?? shared, shared)
    }

    /// What another thread has for this client. True when there is something to flush.
    func deliver(_ delivery: Delivery) -> Bool {
        if delivery.isAnswer { state.commandAnswered(isBusy: delivery.isBusy) }
        if delivery.isBusy {
            wasBusy = true
            shard.toldBusy(state.sender.address)
        }
        guard context != nil, state.isOpen, delivery.isMessage else { return false }
        outbox.push(delivery)
        return true
    }

    /// What one read brought is entered together.
    private func handOver() {
        guard hasTaken else { return }
        hasTaken = false
        services.handOver()
    }

    private func subscribe(to securities: [String]) {
        if let unknown = securities.first(where: { !shard.knows($0) }) {
            let error = WireError(
                .init(.unknownMarket), "there is no market \"\(unknown.prefix(40))\"", field: "securities")
            return push(FrameBytes.text(ErrorMessage(error)))
        }
        push(FrameBytes.text(SubscribedMessage(securities: securities)))
        shard.follow(self, securities)
    }

    /// Called by the shard: what was followed before is not any more.
    func follow(_ markets: [Int]) {
        outbox.forgetBooks()
        following.follow(markets)
    }

    private func authenticate(_ token: String) {
        do throws(WireError) {
            state.authenticated(as: try services.access.identity(ofToken: token, from: state.sender.address))
            push(FrameBytes.text(WelcomeMessage(userID: state.user)))
        } catch {
            if state.showedWrongToken() || error.code == .busy { return close(.policyViolation, because: error) }
            push(FrameBytes.text(ErrorMessage(error)))
        }
    }

    func dropIfRevoked() {
        guard let identity = state.identity, !services.access.isGood(identity) else { return }
        close(.policyViolation, because: WireError(.unauthorized, "the token is not good any more"))
    }

    // MARK: What the client is sent

    /// Keeps a frame for the client until the next flush.
    func push(_ frame: ByteBuffer) {
        guard context != nil, state.isOpen else { return }
        outbox.push(frame)
    }

    func pushBook(_ place: Int) {
        guard context != nil, state.isOpen else { return }
        outbox.pushBook(market: place)
    }

    /// Writes what the channel takes now; the rest follows when it is writable again, and then the books and trades of the
    /// markets that the client was not sent yet. A client that leaves too much behind for too long is cut off.
    func flush() {
        guard let context else { return }
        var wrote = false
        while context.channel.isWritable, writeNext(context) { wrote = true }
        if wrote { context.flush() }
        // Flushing may have made the channel writable, and so have emptied the outbox meanwhile.
        watch()
    }

    /// False when there is nothing to write.
    private func writeNext(_ context: ChannelHandlerContext) -> Bool {
        while let item = outbox.pop() {
            guard let frame = frame(of: item) else { continue }
            context.write(wrapOutboundOut(frame), promise: nil)
            return true
        }
        guard state.isOpen, let place = following.nextSnapshot(of: shard.marketCount) else { return false }
        if let book = shard.book(of: place) { context.write(wrapOutboundOut(book), promise: nil) }
        context.write(wrapOutboundOut(shard.recentTrades(of: place)), promise: nil)
        return true
    }

    private func frame(of item: Outbox.Item) -> ByteBuffer? {
        switch item {
        case .frame(let frame): frame
        case .book(let place): shard.book(of: place)
        case .delivery(let delivery): services.frame(for: delivery)
        }
    }

    private func watch() {
        guard let context else { return }
        switch outbox.judge(now: .now()) {
        case .fine:
            watchTimer?.cancel()
            watchTimer = nil
        case .cutOff: cutOff()
        case .watch(let end):
            guard watchTimer == nil else { return }
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            watchTimer = context.eventLoop.scheduleTask(deadline: end) {
                bound.value.watchTimer = nil
                bound.value.flush()
            }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { flush() }
        context.fireChannelWritabilityChanged()
    }

    private func pingDue() {
        switch state.pingDue() {
        case .nothing: break
        case .ping:
            push(FrameBytes.ping())
            flush()
        case .hangUp: context?.close(promise: nil)
        }
    }

    // MARK: Goodbye

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard state.isOpen else { return }
        switch error {
        case NIOWebSocketError.invalidFrameLength:
            close(
                .messageTooLarge,
                because: WireError(
                    .tooBig, "the frame is too big: at most \(state.limits.wire.messageBytesMax) bytes are allowed"))
        case is NIOWebSocketError:
            close(
                .protocolError, because: WireError(.badJSON, "the frame breaks the WebSocket protocol (RFC 6455)"))
        default:
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: close(.goingAway, because: nil)
        case ChannelEvent.inputClosed: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// Says why, sends the close frame, and hangs up when the client has answered it or has had its time.
    private func close(_ code: WebSocketErrorCode, because error: WireError?) {
        guard let context, state.isOpen else { return }
        if let error { push(FrameBytes.text(ErrorMessage(error))) }
        push(FrameBytes.close(code))
        flush()
        // Reading may be at rest, and the client's answer must be seen.
        pauseTimer?.cancel()
        try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        guard state.beginClosing() else { return }
        shard.remove(self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        hangUpTimer = context.eventLoop.scheduleTask(
            in: .milliseconds(state.limits.closeMillisecondsMax)
        ) {
            bound.value.context?.close(promise: nil)
        }
    }

    /// The client reads too slowly for what it asked for: nothing more fits, not even an error.
    private func cutOff() {
        guard let context else { return }
        services.metrics.cutOffSocket()
        services.logger.info(
            "a socket fell too far behind and was closed",
            metadata: ["user": "\(state.user.rawValue)", "bytes": "\(outbox.byteCount)"])
        context.close(promise: nil)
    }
}
