import NIOCore
import NIOHTTP1
import NIOWebSocket
import OrderBook
import Wire

/// Answers the one request that opens a WebSocket, and turns the pipeline from HTTP to frames.
final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let gateway: GatewayChannel
    /// What HTTP needs and frames do not.
    private let http: [any RemovableChannelHandler]
    private let promise: EventLoopPromise<GatewayChannel.Negotiated>
    private var head: HTTPRequestHead?
    private var timeout: Scheduled<Void>?
    private var isDone = false

    init(
        gateway: GatewayChannel, http: [any RemovableChannelHandler],
        promise: EventLoopPromise<GatewayChannel.Negotiated>
    ) {
        self.gateway = gateway
        self.http = http
        self.promise = promise
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        timeout = context.eventLoop.scheduleTask(in: .milliseconds(gateway.limits.requestMillisecondsMax)) {
            channel.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { finish(.failure(ChannelError.inputClosed)) }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.failure(ChannelError.inputClosed))
        context.fireChannelInactive()
    }

    private func finish(_ result: Result<GatewayChannel.Negotiated, any Error>) {
        guard !isDone else { return }
        isDone = true
        timeout?.cancel()
        promise.completeWith(result)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent || event as? ChannelEvent == .inputClosed {
            return context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// What is wrong with the request was answered by `HTTPServerProtocolErrorHandler`.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone else { return }
        switch unwrapInboundIn(data) {
        case .head(let request): head = request
        case .body: refuse(context, .badRequest, WireError(.badValue, "a request for /ws has no body"))
        case .end: answer(context)
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        guard let head else { return }
        do throws(Doors.Fault) {
            _ = try gateway.doors.check(Doors.Request(head, context.channel))
        } catch {
            return refuse(context, HTTPResponseStatus(error), error.error)
        }
        guard head.headers[canonicalForm: "upgrade"].contains(where: { $0.lowercased() == "websocket" }) else {
            return refuse(
                context, .upgradeRequired, WireError(.badValue, "/ws speaks WebSocket: ask for an upgrade"))
        }
        let address = ClientAddress(context.channel.remoteAddress)
        let identity: Access.Identity?
        do throws(WireError) {
            identity = try self.identity(of: head, from: address)
        } catch {
            return refuse(context, error.code == .busy ? .tooManyRequests : .unauthorized, error)
        }
        guard gateway.addresses.openSocket(address) else {
            return refuse(
                context, .tooManyRequests,
                WireError(
                    .busy,
                    "\(gateway.limits.socketsPerAddressMax) sockets of this address are open, the most it may have; try again later"
                ))
        }
        let addresses = gateway.addresses
        context.channel.closeFuture.whenComplete { _ in addresses.closeSocket(address) }
        guard gateway.hub.takePlace() else {
            return refuse(
                context, .serviceUnavailable,
                WireError(
                    .busy, "\(gateway.limits.socketsMax) sockets are open, the most there may be; try again later"))
        }
        let hub = gateway.hub
        context.channel.closeFuture.whenComplete { _ in hub.releasePlace() }
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        // NIO checks the key and version and computes the accept header; the pipeline is changed here.
        NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() }
        ).buildUpgradeResponse(channel: context.channel, upgradeRequest: head, initialResponseHeaders: [:])
            .whenComplete { result in
                let (handler, context) = bound.value
                switch result {
                case .success(let headers): handler.upgrade(context, headers, identity)
                case .failure:
                    handler.refuse(
                        context, .badRequest,
                        WireError(.badValue, "the WebSocket headers are incomplete, or the version is not 13"))
                }
            }
    }

    /// Without tokens what stands in the header is somebody else's, a proxy's perhaps.
    private func identity(of head: HTTPRequestHead, from address: ClientAddress) throws(WireError) -> Access.Identity? {
        let access = gateway.services.access
        guard access.needsToken, let token = try BearerToken.find(in: head.headers["authorization"]) else { return nil }
        return try access.identity(ofToken: token, from: address)
    }

    private func upgrade(_ context: ChannelHandlerContext, _ headers: HTTPHeaders, _ identity: Access.Identity?) {
        guard !isDone, let shard = gateway.hub.shard(of: context.eventLoop) else {
            return context.close(promise: nil)
        }
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        let user = identity?.user ?? UserID(gateway.makeUserID())
        let state = SocketState(
            id: shard.nextID(), sender: Sender(address: ClientAddress(context.channel.remoteAddress), user: user),
            identity: identity, needsToken: gateway.services.access.needsToken, limits: gateway.limits)
        let pipeline = context.pipeline.syncOperations
        do {
            for handler in http { pipeline.removeHandler(handler).whenFailure { _ in } }
            let errors = try pipeline.handler(type: HTTPServerProtocolErrorHandler.self)
            pipeline.removeHandler(errors).whenFailure { _ in }
            try pipeline.addHandlers([
                ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: gateway.limits.wire.messageBytesMax)),
                WebSocketHandler(state: state, shard: shard, services: gateway.services),
            ])
        } catch {
            finish(.failure(error))
            return context.close(promise: nil)
        }
        finish(.success(.webSocket))
        pipeline.removeHandler(context: context, promise: nil)
    }

    /// The client is told why, and the connection ends: NIO parses nothing after a request for an upgrade.
    private func refuse(_ context: ChannelHandlerContext, _ status: HTTPResponseStatus, _ error: WireError) {
        guard !isDone else { return }
        let body = ByteBuffer(bytes: ErrorMessage(error).encoded())
        var headers: HTTPHeaders = ["Connection": "close", "Content-Type": "application/json"]
        headers.add(name: "Content-Length", value: String(body.readableBytes))
        if status == .upgradeRequired { headers.add(name: "Upgrade", value: "websocket") }
        if status == .unauthorized { headers.add(name: "WWW-Authenticate", value: "Bearer") }
        if error.code == .busy { headers.add(name: "Retry-After", value: "\(error.retrySeconds ?? 1)") }
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
        finish(.failure(ChannelError.inputClosed))
    }
}

extension Doors.Request {
    fileprivate init(_ head: HTTPRequestHead, _ channel: any Channel) {
        self.init(
            hosts: head.headers["host"], origins: head.headers["origin"], target: head.uri, isCommand: true,
            localAddress: channel.localAddress?.ipAddress)
    }
}

extension HTTPResponseStatus {
    fileprivate init(_ fault: Doors.Fault) {
        self =
            switch fault.kind {
            case .badRequest, .wrongContent: .badRequest
            case .misdirected: .misdirectedRequest
            case .forbidden: .forbidden
            }
    }
}
