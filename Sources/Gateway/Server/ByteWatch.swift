import NIOCore

/// Tells the watch what passes below HTTP, and ends a connection whose client does not read its answers.
final class ByteWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let watch: RequestWatch
    private let patience: TimeAmount
    private var unread: Scheduled<Void>?

    init(_ watch: RequestWatch, limits: GatewayLimits) {
        self.watch = watch
        patience = .milliseconds(limits.responseMillisecondsMax)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        watch.bytesArrived()
        context.fireChannelRead(data)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        unread?.cancel()
        unread = nil
        if !context.channel.isWritable {
            let channel = context.channel
            unread = context.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        unread?.cancel()
        context.fireChannelInactive()
    }
}
