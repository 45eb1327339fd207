import Foundation
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import OrderBook
import Replication
public import ServiceLifecycle
import Synchronization

extension Mesh: Service {
    /// Listens and dials until it is shut down or its task is cancelled; then all connections are closed and the events
    /// end.
    /// - Throws: `GossipFault` where it cannot listen.
    public func run() async throws {
        defer { finish() }
        let listener = try await listen()
        onListening(listener.localAddress?.port ?? 0)
        await cancelWhenGracefulShutdown {
            await withTaskCancellationHandler {
                await withDiscardingTaskGroup { group in
                    for member in self.configuration.members {
                        guard let peer = NodeName(member.name), peer != self.name else { continue }
                        group.addTask { await self.keepDialling(peer, member) }
                    }
                    try? await listener.closeFuture.get()
                }
            } onCancel: {
                self.finish()
                listener.close(promise: nil)
            }
        }
    }

    private func finish() {
        for link in state.withLock({ $0.finish() }) {
            link.end(LinkFault(.disconnected, "\(name) shuts down"))
        }
        channels.close()
        consumer.wake()
    }

    func isPeer(_ name: NodeName) -> Bool { state.withLock { $0.peers[name] != nil } }

    /// The head of the SHA-256 of a cluster's id.
    static func head(of cluster: String) -> UInt64 {
        var hash = SHA256()
        hash.update(Array(cluster.utf8))
        return hash.finalize().words.0
    }

    // MARK: Accepting

    private func listen() async throws(GossipFault) -> any Channel {
        guard let address = configuration.listenAddress else { throw GossipFault("it is not said where to listen") }
        do {
            return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelOption(.backlog, value: Int32(limits.strangersMax))
                .childChannelInitializer { channel in self.prepareAccepted(channel) }
                .bind(host: address.host, port: address.port).get()
        } catch {
            throw GossipFault("cannot listen on \(address): \(error); give another address as 'listen'")
        }
    }

    private func prepareAccepted(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard channels.add(channel, strangersMax: limits.strangersMax) else {
            refusals.add(
                LinkFault(.tooManyConnections, "\(limits.strangersMax) have not shown who they are"),
                peer: channel.remoteAddress?.ipAddress ?? "unknown")
            return channel.eventLoop.makeFailedFuture(ChannelError.inputClosed)
        }
        return prepare(channel, dialled: nil) { NIOSSLServerHandler(context: tls.server) }
    }

    private func prepare(
        _ channel: any Channel, dialled: NodeName?, security: () throws -> any ChannelHandler
    ) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
            // What waits should wait in the outbox, where newer heartbeats take the place of older ones.
            try channel.syncOptions?.setOption(.writeBufferWaterMark, value: .init(low: 32 << 10, high: 128 << 10))
            try pipeline.addHandler(try security())
            let reader = FrameReader(cluster: clusterHead, payloadBytesMax: limits.frameBytesMax)
            try pipeline.addHandler(ByteToMessageHandler(reader))
            try pipeline.addHandler(LinkHandler(mesh: self, dialled: dialled))
        }
    }

    // MARK: Dialling

    /// Sees to it that there is a connection to a peer, by whichever side it was made.
    private func keepDialling(_ peer: NodeName, _ member: ClusterConfiguration.Member) async {
        var delay = DialDelay(limits: limits)
        var generator = SystemRandomNumberGenerator()
        if name > peer { await pause(.milliseconds(limits.dialDelayOfLater)) }
        while !Task.isCancelled {
            let began = ContinuousClock.now
            if let link = state.withLock({ $0.peers[peer]?.link }) {
                try? await link.channel.closeFuture.get()
            } else {
                await dial(peer, member)
            }
            // One that stood for a while was a good one; else it is a failure however far it came.
            if ContinuousClock.now - began > .milliseconds(limits.dialDelayMax) { delay.reset() }
            await pause(delay.next(using: &generator))
        }
    }

    private func pause(_ duration: Duration) async { try? await Task.sleep(for: duration) }

    /// Dials once, and returns when the connection has ended.
    private func dial(_ peer: NodeName, _ member: ClusterConfiguration.Member) async {
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.milliseconds(limits.handshakeTimeout))
                .channelInitializer { channel in
                    guard self.channels.add(channel) else {
                        return channel.eventLoop.makeFailedFuture(ChannelError.inputClosed)
                    }
                    return self.prepare(channel, dialled: peer) {
                        try NIOSSLClientHandler(context: self.tls.client, serverHostname: nil)
                    }
                }
                .connect(host: member.host, port: member.port).get()
            try await channel.closeFuture.get()
        } catch {
            guard !Task.isCancelled else { return }
            refusals.addDialFailure(
                "cannot reach \(peer) at \(Address(host: member.host, port: member.port)): \(error)",
                peer: peer.rawValue)
        }
    }
}
