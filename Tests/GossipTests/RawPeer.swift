import Foundation
import Gossip
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport

/// A connection to a node on which a test says what it likes: plain, or TLS with whatever certificate.
final class RawPeer: Sendable {
    private let channel: any Channel
    private let received: Received

    private init(_ channel: any Channel, _ received: Received) {
        self.channel = channel
        self.received = received
    }

    /// - Parameter certificate: nil for none.
    struct Security {
        var certificate: (certificate: String, key: String)?
        var version: TLSVersion = .tlsv13
    }

    /// - Parameter security: nil for plain TCP.
    static func connect(port: Int, _ security: Security?) async throws -> RawPeer {
        let received = Received()
        let context = try security.map { try NIOSSLContext(configuration: configuration($0)) }
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context {
                        try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
                    }
                    try pipeline.addHandler(Keeper(received))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawPeer(channel, received)
    }

    private static func configuration(_ security: Security) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.maximumTLSVersion = security.version
        if let (certificate, key) = security.certificate {
            configuration.certificateChain = [
                .certificate(try NIOSSLCertificate(bytes: Array(certificate.utf8), format: .pem))
            ]
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem))
        }
        return configuration
    }

    func write(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    func close() { channel.close(promise: nil) }

    var isClosed: Bool { received.state.withLock { $0.isClosed } }
    var bytes: [UInt8] { received.state.withLock { $0.bytes } }

    private final class Received: Sendable {
        let state = Mutex<(bytes: [UInt8], isClosed: Bool)>(([], false))
    }

    private final class Keeper: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let received: Received
        init(_ received: Received) { self.received = received }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            received.state.withLock { $0.bytes.append(contentsOf: bytes.readableBytesView) }
        }

        func channelInactive(context: ChannelHandlerContext) { received.state.withLock { $0.isClosed = true } }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
