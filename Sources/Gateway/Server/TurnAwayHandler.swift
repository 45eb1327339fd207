import NIOCore
import Wire

/// Answers a connection that its address may not have, in as few bytes and as little work as can be, and closes it.
///
/// A connection that is closed with bytes unread is reset, and its client may never see the answer. So the first of them
/// are awaited, for a moment.
final class TurnAwayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let patience = TimeAmount.milliseconds(250)
    private let limits: GatewayLimits
    private var timer: Scheduled<Void>?
    private var isDone = false

    init(_ limits: GatewayLimits) { self.limits = limits }

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: Self.patience) { bound.value.handler.answer(bound.value.context) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { answer(context) }

    func handlerRemoved(context: ChannelHandlerContext) {
        isDone = true
        timer?.cancel()
    }

    private func answer(_ context: ChannelHandlerContext) {
        guard !isDone else { return }
        isDone = true
        let body = ByteBuffer(
            bytes: ErrorMessage(
                WireError(
                    .busy,
                    "\(limits.connectionsPerAddressMax) connections of this address are open, the most it may have")
            ).encoded())
        var answer = ByteBuffer(
            string: "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
                + "Connection: close\r\nContent-Length: \(body.readableBytes)\r\n\r\n")
        answer.writeImmutableBuffer(body)
        context.writeAndFlush(wrapOutboundOut(answer)).assumeIsolated().whenComplete { _ in context.close(promise: nil)
        }
    }
}
