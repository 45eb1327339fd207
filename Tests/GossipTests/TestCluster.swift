import Foundation
import Gossip
import Logging
import NIOCore
import NIOPosix
import Replication
import Synchronization
import TestSupport
import Testing

/// A cluster with certificates of its own, whose nodes are meshes in this process over loopback.
struct TestCluster {
    let id: String
    let authority: CertificateAuthority
    var members: [ClusterConfiguration.Member] = []

    init(_ names: [String], id: String = "test-1") async throws {
        self.id = id
        authority = try CertificateAuthority(cluster: id)
        for name in names {
            members.append(.init(name: name, host: "127.0.0.1", port: try await Self.freePort()))
        }
    }

    /// A port that nobody has now.
    static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1).bind(host: "127.0.0.1", port: 0).get()
        defer { channel.close(promise: nil) }
        return try #require(channel.localAddress?.port)
    }

    func port(_ name: String) throws -> Int { try #require(members.first { $0.name == name }).port }

    func credentials(_ name: String, signedBy other: CertificateAuthority? = nil, until: Date? = nil) throws
        -> NodeCredentials
    {
        let signer = other ?? authority
        let issued = try signer.issue(to: NodeName(name)!, until: until)
        return try NodeCredentials(
            authority: try authority.certificatePEM, certificate: issued.certificate, key: issued.key)
    }

    /// A node, not running yet.
    /// - Parameter change: of the configuration: another address of a peer, say.
    func node(
        _ name: String, limits: MeshLimits = .quick, credentials: NodeCredentials? = nil,
        change: (inout ClusterConfiguration) -> Void = { _ in }
    ) throws -> TestNode {
        var configuration = ClusterConfiguration(cluster: id, node: name, members: members)
        change(&configuration)
        let log = RecordedLog()
        let mesh = try Mesh(
            configuration, credentials: try credentials ?? self.credentials(name), limits: limits,
            logger: Logger(label: name) { _ in log })
        return TestNode(name: NodeName(name)!, mesh: mesh, log: log)
    }

    /// Runs nodes beside the body.
    func run(_ nodes: [TestNode], _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for node in nodes {
                group.addTask { try await node.mesh.run() }
                group.addTask { await node.takeEvents() }
            }
            do {
                try await body()
            } catch {
                for node in nodes {
                    Issue.record("\(node.name): \(node.mesh.metrics)\n\(node.log.lines.joined(separator: "\n"))")
                }
                throw error
            }
            group.cancelAll()
        }
    }
}

extension MeshLimits {
    /// Times that suit tests.
    static var quick: MeshLimits {
        var limits = MeshLimits()
        limits.handshakeTimeout = 1_000
        limits.idleTimeout = 1_000
        limits.pingInterval = 100
        limits.staleAfter = 500
        limits.dialDelayMin = 20
        limits.dialDelayMax = 200
        return limits
    }
}

/// A mesh, and what its consumer has seen.
final class TestNode: Sendable {
    struct Seen {
        var events: [String] = []
        var messages: [NodeName: [Message]] = [:]
        var connected: Set<NodeName> = []
        var requests: [SnapshotRequest] = []
        /// A consumer that stands still takes nothing more.
        var isStill = false
    }

    let name: NodeName
    let mesh: Mesh
    let log: RecordedLog
    private let seen = Mutex(Seen())

    init(name: NodeName, mesh: Mesh, log: RecordedLog) {
        self.name = name
        self.mesh = mesh
        self.log = log
    }

    var events: [String] { seen.withLock { $0.events } }
    var requests: [SnapshotRequest] { seen.withLock { $0.requests } }

    func messages(from peer: TestNode) -> [Message] { seen.withLock { $0.messages[peer.name] ?? [] } }

    func received(from peer: NodeName) -> Int { seen.withLock { $0.messages[peer]?.count ?? 0 } }

    func isConnected(to peer: TestNode) -> Bool { seen.withLock { $0.connected.contains(peer.name) } }

    func metrics(of peer: TestNode) -> MeshMetrics.Peer { mesh.metrics.peers.first { $0.name == peer.name }! }

    func refusals(_ reason: MeshRefusal) -> Int { mesh.metrics.refusals[reason] ?? 0 }

    func standStill(_ isStill: Bool) { seen.withLock { $0.isStill = isStill } }

    func takeEvents() async {
        for await event in mesh.events {
            if case .connected(let peer, let connection) = event { mesh.begin(connection, with: peer) }
            seen.withLock { $0.add(event) }
            while seen.withLock({ $0.isStill }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(2)) }
        }
    }
}

extension TestNode.Seen {
    fileprivate mutating func add(_ event: MeshEvent) {
        switch event {
        case .connected(let peer, _):
            events.append("connected \(peer)")
            connected.insert(peer)
        case .disconnected(let peer):
            events.append("disconnected \(peer)")
            connected.remove(peer)
        case .received(let message, let peer): messages[peer, default: []].append(message)
        case .snapshotRequested(let request): requests.append(request)
        }
    }
}

/// Waits until these are connected with each other.
func connected(_ nodes: TestNode...) async throws {
    try await eventually("all are connected") {
        nodes.allSatisfy { node in nodes.allSatisfy { $0 === node || node.isConnected(to: $0) } }
    }
}

/// Keeps the lines that were logged.
final class RecordedLog: LogHandler {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }
    var logLevel: Logger.Level {
        get { .debug }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        kept.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
    }
}
