import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// A TCP connection that keeps whatever arrives.
final class RawConnection: Sendable {
    private let channel: any Channel
    private let received: Received

    private init(_ channel: any Channel, _ received: Received) {
        self.channel = channel
        self.received = received
    }

    static func connect(port: Int) async throws -> RawConnection {
        let received = Received()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.so_rcvbuf), value: 8_192)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Keeper(received))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawConnection(channel, received)
    }

    func write(_ buffer: ByteBuffer) async throws { try await channel.writeAndFlush(buffer).get() }

    /// All that has arrived so far and was not taken yet.
    func take() -> ByteBuffer {
        received.state.withLock { state in
            defer { state.buffer.clear() }
            return state.buffer
        }
    }

    var isClosed: Bool { received.state.withLock { $0.isClosed } }

    func readToEnd() async throws -> [UInt8] {
        try await eventually("the server closes") { isClosed }
        return Array(take().readableBytesView)
    }

    /// A client that stops reading fills the buffers on its way, and then the server's.
    func setReads(_ reads: Bool) async throws { try await channel.setOption(.autoRead, value: reads).get() }

    func closeOutput() async throws { try await channel.close(mode: .output).get() }

    func close() { channel.close(promise: nil) }

    private final class Received: Sendable {
        let state = Mutex<(buffer: ByteBuffer, isClosed: Bool)>((ByteBuffer(), false))
    }

    private final class Keeper: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let received: Received
        init(_ received: Received) { self.received = received }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            received.state.withLock { state in _ = state.buffer.writeImmutableBuffer(bytes) }
        }

        func channelInactive(context: ChannelHandlerContext) { received.state.withLock { $0.isClosed = true } }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
