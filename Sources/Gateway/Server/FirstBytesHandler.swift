import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Holds the first bytes of a connection until they tell whether it asks for `/ws`, then sets up what it needs and
/// hands the bytes on.
///
/// Deciding before anything is parsed avoids the trap of NIO's upgrade handler, which loses the head of a request whose
/// upgrade it refuses: here plain HTTP never meets it.
final class FirstBytesHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let gateway: GatewayChannel
    private let promise: EventLoopPromise<GatewayChannel.Negotiated>
    private let logger: Logger
    private var held = ByteBuffer()
    private var timeout: Scheduled<Void>?
    private var isDecided = false

    init(gateway: GatewayChannel, promise: EventLoopPromise<GatewayChannel.Negotiated>, logger: Logger) {
        self.gateway = gateway
        self.promise = promise
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        timeout = context.eventLoop.scheduleTask(in: .milliseconds(gateway.limits.idleMillisecondsMax)) {
            channel.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { giveUp() }

    func channelInactive(context: ChannelHandlerContext) {
        giveUp()
        context.fireChannelInactive()
    }

    private func giveUp() {
        timeout?.cancel()
        guard !isDecided else { return }
        isDecided = true
        promise.fail(ChannelError.inputClosed)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if !isDecided, event is ChannelShouldQuiesceEvent || event as? ChannelEvent == .inputClosed {
            return context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        held.writeImmutableBuffer(unwrapInboundIn(data))
        guard !isDecided, let asksForSocket = Self.asksForSocket(held.readableBytesView) else { return }
        isDecided = true
        timeout?.cancel()
        do {
            if asksForSocket { try becomeSocket(context) } else { try becomeHTTP(context) }
        } catch {
            promise.fail(error)
            return context.close(promise: nil)
        }
        context.fireChannelRead(wrapInboundOut(held))
        context.fireChannelReadComplete()
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    /// Nil while there are too few bytes to tell.
    static func asksForSocket(_ bytes: ByteBufferView) -> Bool? {
        let wanted = "GET /ws".utf8
        guard bytes.starts(with: wanted.prefix(bytes.count)) else { return false }
        guard bytes.count > wanted.count else { return nil }
        let next = bytes[bytes.startIndex + wanted.count]
        return next == UInt8(ascii: " ") || next == UInt8(ascii: "?")
    }

    private func becomeHTTP(_ context: ChannelHandlerContext) throws {
        gateway.http.setup(channel: context.channel, logger: logger).map { GatewayChannel.Negotiated.http($0) }
            .cascade(to: promise)
        let pipeline = context.pipeline.syncOperations
        let watch = try pipeline.handler(type: RequestWatch.self)
        try pipeline.addHandler(ByteWatch(watch, limits: gateway.limits), position: .first)
        let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
        try pipeline.addHandler(TargetForm(), position: .before(codec))
        watch.bytesArrived()
    }

    private func becomeSocket(_ context: ChannelHandlerContext) throws {
        let pipeline = context.pipeline.syncOperations
        let encoder = HTTPResponseEncoder()
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: gateway.limits.http))
        try pipeline.addHandlers([
            encoder, decoder, HTTPServerProtocolErrorHandler(),
            HandshakeHandler(gateway: gateway, http: [encoder, decoder], promise: promise),
        ])
    }
}
