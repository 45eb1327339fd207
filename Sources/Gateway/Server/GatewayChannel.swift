import HummingbirdCore
import Logging
import NIOCore
import Wire

/// HTTP and WebSocket on one port: the first bytes of a connection say which it is.
struct GatewayChannel: ServerChildChannel {
    /// A connection before it is known what it speaks.
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let negotiated: EventLoopFuture<Negotiated>
    }

    enum Negotiated: Sendable {
        case http(HTTP1Channel.Value)
        /// Served by its channel handlers; nothing is left to do but to wait for its end.
        case webSocket
    }

    let http: HTTP1Channel
    let hub: Hub
    let services: SocketServices
    let doors: Doors
    let addresses: AddressTable
    let turns: PerLoop<LoopTurns>
    let limits: GatewayLimits
    let makeUserID: @Sendable () -> String

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.syncOptions?.setOption(.socketOption(.so_sndbuf), value: .init(limits.sendBufferBytes))
            // What waits should wait in the outbox, where a newer book can still take an older one's place.
            try channel.syncOptions?.setOption(.writeBufferWaterMark, value: .init(low: 4_096, high: 16_384))
            // One client's bytes keep the others of its loop waiting no longer than these take.
            try channel.syncOptions?.setOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 256, initial: 1_024, maximum: 4_096))
            try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
            let promise = channel.eventLoop.makePromise(of: Negotiated.self)
            let address = ClientAddress(channel.remoteAddress)
            guard addresses.connect(address) else {
                try channel.pipeline.syncOperations.addHandler(TurnAwayHandler(limits))
                promise.fail(ChannelError.inputClosed)
                return Value(channel: channel, negotiated: promise.futureResult)
            }
            channel.closeFuture.whenComplete { [addresses] _ in addresses.leave(address) }
            if let turns = turns.value(on: channel.eventLoop) {
                try channel.pipeline.syncOperations.addHandler(ReadTurn(turns.reads, of: address))
            }
            let handler = FirstBytesHandler(gateway: self, promise: promise, logger: logger)
            try channel.pipeline.syncOperations.addHandler(handler)
            return Value(channel: channel, negotiated: promise.futureResult)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskCancellationHandler {
            guard let negotiated = try? await value.negotiated.get() else { return }
            switch negotiated {
            case .http(let channel): await http.handle(value: channel, logger: logger)
            case .webSocket: try? await value.channel.closeFuture.get()
            }
        } onCancel: {
            value.channel.close(promise: nil)
        }
    }
}
