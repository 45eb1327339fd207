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
    private var outbox: Outbox
    private var context: ChannelHandlerContext?
    private var hangUpTimer: Scheduled<Void>?
    private var pingTimer: RepeatedTask?
    /// Whether commands were taken since the last read ended.
    private var hasTaken = false

    init(state: SocketState, shard: HubShard, services: SocketServices) {
        self.state = state
        self.shard = shard
        self.services = services
        outbox = Outbox(bytesMax: state.limits.outboxBytesMax)
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
        shard.remove(self)
        services.socketClosed(state)
    }

    // MARK: What the client sends

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state.frameArrived(unwrapInboundIn(data)) {
        case .nothing: break
        case .send(let frame): push(frame)
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
        flush()
        context.fireChannelReadComplete()
    }

    /// What another thread has for this client. True when there is something to flush.
    func deliver(_ delivery: Delivery) -> Bool {
        if delivery.isAnswer { state.commandAnswered() }
        guard let frame = services.frame(for: delivery) else { return false }
        push(frame)
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
        let older = state.securities
        shard.unfollow(self, older)
        state.subscribed(to: Set(securities), followsNewMarkets: false)
        push(FrameBytes.text(SubscribedMessage(securities: securities)))
        shard.follow(self, securities)
    }

    private func authenticate(_ token: String) {
        guard let user = services.user(ofToken: token) else {
            let error = WireError(.unauthorized, "the token is not known", field: "token")
            return push(FrameBytes.text(ErrorMessage(error)))
        }
        state.authenticated(as: user)
        push(FrameBytes.text(WelcomeMessage(userID: user)))
    }

    // MARK: What the client is sent

    /// Keeps a frame for the client until the next flush.
    func push(_ frame: ByteBuffer) {
        guard context != nil, state.isOpen else { return }
        outbox.push(frame)
    }

    func pushBook(_ frame: ByteBuffer, market: String) {
        guard context != nil, state.isOpen else { return }
        outbox.pushBook(frame, market: market)
    }

    func marketAppeared(_ security: String) -> Bool { state.marketAppeared(security) }

    func subscribedAtOpen(to securities: [String]) {
        state.subscribed(to: Set(securities), followsNewMarkets: true)
    }

    /// Writes what the channel takes now; the rest follows when it is writable again. A client that leaves too much
    /// behind is cut off.
    func flush() {
        guard let context, !outbox.isEmpty else { return }
        var wrote = false
        while context.channel.isWritable, let frame = outbox.pop() {
            context.write(wrapOutboundOut(frame), promise: nil)
            wrote = true
        }
        if wrote { context.flush() }
        // Flushing may have made the channel writable, and so have emptied the outbox meanwhile.
        if outbox.isOverfull { cutOff() }
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
