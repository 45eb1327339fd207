import NIOCore

/// Accepts so many connections a second and no more: each costs more than the client that opens it.
final class AcceptPace: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel
    typealias OutboundIn = Never

    private var allowance: Allowance
    private var timer: Scheduled<Void>?

    init(_ limits: GatewayLimits) {
        allowance = Allowance(perSecond: limits.connectionsPerSecond, burst: limits.connectionsBurst)
    }

    func read(context: ChannelHandlerContext) {
        guard timer == nil else { return }
        guard let pause = allowance.wait(now: context.eventLoop.now) else { return context.read() }
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: pause) {
            bound.value.handler.timer = nil
            bound.value.context.read()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        allowance.spend(1)
        context.fireChannelRead(data)
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }
}
