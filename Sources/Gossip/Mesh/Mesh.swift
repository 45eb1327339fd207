public import Logging
import NIOCore
public import Replication
import Synchronization

/// The connections to all other nodes of a cluster: mutual TLS, each pair by one connection, made again whenever it is lost.
///
///     let mesh = try Mesh(configuration, credentials: credentials, logger: logger)
///     // mesh.run() in a service group; then, in one task:
///     for await event in mesh.events { … mesh.begin(connection, with: peer); mesh.send(message, to: peer) … }
///
/// Nothing in it grows beyond `MeshLimits`: a consumer that takes no events gives no credit, and peers without credit send
/// nothing.
public final class Mesh: Sendable {
    public let name: NodeName
    public let limits: MeshLimits
    let configuration: ClusterConfiguration
    let tls: ClusterTLS
    /// What every frame carries.
    let clusterHead: UInt64
    let logger: Logger
    let onListening: @Sendable (Int) -> Void
    let state: Mutex<MeshState>
    let refusals: Refusals
    let channels = OpenChannels()
    let consumer = Consumer()
    private let copies = SentBytes()

    /// - Parameters:
    ///   - credentials: must be of this node in this cluster.
    ///   - onListening: told the port once peers can connect.
    public init(
        _ configuration: ClusterConfiguration, credentials: NodeCredentials, limits: MeshLimits = MeshLimits(),
        logger: Logger, onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) throws(GossipFault) {
        if let fault = configuration.fault ?? limits.contradiction { throw GossipFault(fault) }
        guard configuration.node == credentials.node.rawValue, configuration.cluster == credentials.cluster else {
            throw GossipFault(
                "the certificate is of \(credentials.node) in \(credentials.cluster), not of "
                    + "\(configuration.node ?? "no node") in \(configuration.cluster)")
        }
        name = credentials.node
        self.limits = limits
        self.configuration = configuration
        tls = try ClusterTLS(credentials)
        clusterHead = Self.head(of: configuration.cluster)
        self.logger = logger
        self.onListening = onListening
        refusals = Refusals(interval: .milliseconds(limits.logInterval), logger: logger)
        let own = credentials.node
        let peers = configuration.members.compactMap { NodeName($0.name) }.filter { $0 != own }
        state = Mutex(MeshState(peers: peers, limits: limits, now: .now()))
    }
}

// MARK: For the consumer

extension Mesh {
    /// For one consumer.
    public var events: MeshEvents { MeshEvents(mesh: self) }

    /// What is sent to a peer from now on is meant for this connection, of which an event told. Until then everything is
    /// dropped: whoever has not heard that a connection was lost may still be speaking on it.
    public func begin(_ connection: ConnectionID, with peer: NodeName) {
        state.withLock { $0.begin(connection, with: peer) }
    }

    /// Sends a message, or drops it where there is no connection that was begun with. Pushed commands are dropped too when
    /// the peer is slow.
    public func send(_ message: Message, to peer: NodeName) {
        let payload = message.encoded
        guard payload.count <= limits.frameBytesMax else {
            return disconnect(peer, fault: LinkFault(.oversized, "a message of \(payload.count) bytes was to be sent"))
        }
        let (verdict, link) = state.withLock { ($0.send(payload, message.role, to: peer), $0.peers[peer]?.link) }
        switch verdict {
        case .queued: link?.wake()
        case .overflow:
            link?.end(LinkFault(.overflow, "\(peer) does not take what is sent: \(limits.outboxBytesMax) bytes wait"))
        case .dropped, nil: break
        }
    }

    /// Ends the connection to a peer. It is dialled again.
    /// - Parameter because: one line, for both nodes' logs.
    public func disconnect(_ peer: NodeName, because: String) {
        disconnect(peer, fault: LinkFault(.disconnected, because))
    }

    func disconnect(_ peer: NodeName, fault: LinkFault) { state.withLock { $0.peers[peer]?.link }?.end(fault) }

    public var metrics: MeshMetrics {
        var metrics = state.withLock { $0.metrics() }
        metrics.refusals = refusals.counts
        metrics.strangers = channels.strangers
        metrics.dialsFailed = refusals.dialsFailed
        return metrics
    }
}

// MARK: Snapshots

extension Mesh {
    /// Asks a peer for a copy of its state, and waits until it begins. At most one at a time from a peer: another ends the
    /// first.
    /// - Throws: `GossipFault` where the peer refuses or is not connected.
    public func snapshot(from peer: NodeName) async throws(GossipFault) -> SnapshotCopy {
        copies.add(1)
        let taking = SnapshotTaking(copy: copies.count, credit: limits.snapshotBytesMax)
        let isConnected = state.withLock { state in
            guard state.peers[peer]?.isOpen == true else { return false }
            state.peers[peer]?.taking?.fail(GossipFault("another copying from \(peer) has begun"))
            state.peers[peer]?.taking = taking
            return true
        }
        guard isConnected else { throw GossipFault("there is no connection to \(peer)") }
        send(.request(copy: taking.copy, credit: Int64(limits.snapshotBytesMax)), to: peer)
        do {
            return SnapshotCopy(peer: peer, header: try await taking.header(), taking: taking, mesh: self)
        } catch {
            send(.cancel(copy: taking.copy), to: peer)
            throw error
        }
    }

    func send(_ frame: SnapshotFrame, to peer: NodeName) {
        let payload = frame.encoded
        let link = state.withLock { state -> Link? in
            guard state.peers[peer]?.isOpen == true else { return nil }
            state.peers[peer]?.outbox.append(bulk: payload)
            return state.peers[peer]?.link
        }
        link?.wake()
    }

    /// A peer's word on a copying in either direction.
    func receive(_ frame: SnapshotFrame, from peer: NodeName, _ link: UInt64) throws(LinkFault) {
        let (giving, taking) = state.withLock { state in
            if case .request(let copy, let credit) = frame, state.peers[peer]?.link?.id == link {
                state.peers[peer]?.giving?.cancel()
                state.peers[peer]?.giving = SnapshotGiving(copy: copy, credit: credit, limits: limits)
                state.appendRequest(of: peer)
            }
            return (state.peers[peer]?.giving, state.peers[peer]?.taking)
        }
        switch frame {
        case .request: consumer.wake()
        case .credit(let copy, let bytes): if giving?.copy == copy { giving?.add(credit: bytes) }
        case .cancel(let copy): if giving?.copy == copy { giving?.cancel() }
        case .begin, .chunk, .end, .refused: if taking?.copy == frame.copy { try taking?.receive(frame) }
        }
    }
}
