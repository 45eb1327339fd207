import Foundation
import NIOCore
import NIOSSL
import OrderBook
import Replication
import TestSupport
import Testing

@testable import Gossip

/// What strangers and ill-behaved members send: the connection ends, it is counted, and nothing else happens.
extension MeshSuites {
    @Suite struct RefusalTests {
        /// One node that listens, with whatever the body does to it. Its peer `b` is a test's own connection.
        private func withNode(
            limits: MeshLimits = .quick, _ body: (TestNode, TestCluster, _ port: Int) async throws -> Void
        ) async throws {
            let cluster = try await TestCluster(["a", "b", "c"])
            let a = try cluster.node("a", limits: limits)
            let port = try cluster.port("a")
            try await cluster.run([a]) {
                try await eventually("a listens") { (try? await RawPeer.connect(port: port, nil))?.close() != nil }
                try await eventually("that knock is over") { a.refusals(.handshake) == 1 }
                try await body(a, cluster, port)
            }
        }

        private func security(_ cluster: TestCluster, _ name: String) throws -> RawPeer.Security {
            RawPeer.Security(certificate: try cluster.authority.issue(to: NodeName(name)!))
        }

        /// A connection with a good certificate, on which frames may be sent.
        private func member(_ cluster: TestCluster, _ port: Int, name: String = "b") async throws -> RawPeer {
            let peer = try await RawPeer.connect(port: port, try security(cluster, name))
            try await eventually("it is let in") { peer.bytes.count >= 32 }
            return peer
        }

        private func frames(
            _ cluster: TestCluster, _ frames: [(Frame.Kind, [UInt8])], clusterID: String? = nil
        ) -> [UInt8] {
            var writer = FrameWriter(cluster: Mesh.head(of: clusterID ?? cluster.id))
            var buffer = ByteBuffer()
            for (kind, payload) in frames { writer.write(kind, payload, to: &buffer) }
            return Array(buffer.readableBytesView)
        }

        private let open = (Frame.Kind.open, UInt64(1 << 20).bigEndianBytes)
        private let query = Message.chainQuery(Timestamp(7)).encoded

        // MARK: Strangers

        @Test(arguments: ["other CA", "none", "expired", "TLS 1.2"])
        func `a certificate that is not good is refused`(what: String) async throws {
            try await withNode { a, cluster, port in
                let before = a.refusals(.handshake)
                var security = RawPeer.Security()
                switch what {
                case "other CA":
                    security.certificate = try CertificateAuthority(cluster: cluster.id).issue(to: NodeName("b")!)
                case "expired":
                    security.certificate = try cluster.authority.issue(
                        to: NodeName("b")!, now: Date(timeIntervalSinceNow: -1_000_000),
                        until: Date(timeIntervalSinceNow: -1_000))
                case "TLS 1.2":
                    security.certificate = try cluster.authority.issue(to: NodeName("b")!)
                    security.version = .tlsv12
                default: break
                }
                let peer = try await RawPeer.connect(port: port, security)
                try await eventually("it is closed") { peer.isClosed && a.refusals(.handshake) == before + 1 }
                #expect(peer.bytes.isEmpty)
                #expect(a.events.isEmpty)
            }
        }

        @Test func `a certificate of nobody in the cluster is refused`() async throws {
            try await withNode { a, cluster, port in
                // `d` is no member, and `a` is this node itself.
                for name in ["d", "a"] {
                    let peer = try await RawPeer.connect(port: port, try security(cluster, name))
                    try await eventually("it is closed") { peer.isClosed }
                    #expect(peer.bytes.isEmpty)
                }
                #expect(a.refusals(.notAMember) == 2)
                let other = try CertificateAuthority(
                    cluster: "test-2", certificate: try cluster.authority.certificatePEM,
                    key: try cluster.authority.keyPEM)
                let security = RawPeer.Security(certificate: try other.issue(to: NodeName("b")!))
                let peer = try await RawPeer.connect(port: port, security)
                try await eventually("it is closed") { peer.isClosed && a.refusals(.wrongCluster) == 1 }
                #expect(a.events.isEmpty)
            }
        }

        @Test func `a node that answers at another's address is refused`() async throws {
            let cluster = try await TestCluster(["a", "b", "c"])
            let port = try cluster.port("c")
            let c = try cluster.node("c")
            let a = try cluster.node("a") { $0.members[1].port = port }
            try await cluster.run([a, c]) {
                try await connected(a, c)
                try await eventually("it is refused") { a.refusals(.wrongNode) > 0 }
                #expect(!a.events.contains("connected b"))
            }
        }

        @Test func `garbage instead of TLS is refused, and so is silence`() async throws {
            try await withNode { a, _, port in
                let before = a.refusals(.handshake)
                let garbage = try await RawPeer.connect(port: port, nil)
                garbage.write(Array("GET / HTTP/1.1\r\n\r\n".utf8))
                try await eventually("it is closed") { garbage.isClosed && a.refusals(.handshake) == before + 1 }
                let silent = try await RawPeer.connect(port: port, nil)
                try await eventually("it is closed") { silent.isClosed && a.refusals(.handshakeTimeout) == 1 }
            }
        }

        @Test func `only so many may knock at once`() async throws {
            var limits = MeshLimits.quick
            limits.strangersMax = 3
            limits.handshakeTimeout = 5_000
            try await withNode(limits: limits) { a, cluster, port in
                var knocking: [RawPeer] = []
                for _ in 0..<3 { knocking.append(try await RawPeer.connect(port: port, nil)) }
                try await eventually("they are counted") { a.mesh.metrics.strangers == 3 }
                let fourth = try await RawPeer.connect(port: port, nil)
                try await eventually("it is closed") { fourth.isClosed && a.refusals(.tooManyConnections) == 1 }
                knocking[0].close()
                try await eventually("there is room") { a.mesh.metrics.strangers == 2 }
                _ = try await member(cluster, port)
            }
        }

        // MARK: Members

        @Test func `a member that behaves is heard`() async throws {
            try await withNode { a, cluster, port in
                let peer = try await member(cluster, port)
                peer.write(frames(cluster, [open, (.message, query), (.ping, []), (.message, query)]))
                try await eventually("both messages come") { a.messageCount == 2 }
                #expect(a.events == ["connected b"])
            }
        }

        struct Misdeed: CustomTestStringConvertible, Sendable {
            var testDescription: String
            var reason: MeshRefusal
            var bytes: @Sendable (TestCluster) -> [UInt8]
            /// The misdeed is to end here.
            var ends = false
        }

        private static func bytes(_ cluster: TestCluster, _ frames: [(Frame.Kind, [UInt8])]) -> [UInt8] {
            RefusalTests().frames(cluster, frames)
        }

        static let misdeeds: [Misdeed] = [
            Misdeed(testDescription: "no frame", reason: .malformed) { _ in Array(repeating: 0x41, count: 100) },
            Misdeed(testDescription: "another version", reason: .malformed) { cluster in
                var bytes = bytes(cluster, [RefusalTests().open])
                bytes[2] = 9
                return bytes
            },
            Misdeed(testDescription: "an unknown kind", reason: .malformed) { cluster in
                var bytes = bytes(cluster, [RefusalTests().open])
                bytes[3] = 99
                return bytes
            },
            Misdeed(testDescription: "another cluster", reason: .wrongCluster) { cluster in
                RefusalTests().frames(cluster, [RefusalTests().open], clusterID: "test-2")
            },
            Misdeed(testDescription: "a message before the opening", reason: .malformed) { cluster in
                bytes(cluster, [(.message, RefusalTests().query)])
            },
            Misdeed(testDescription: "opened twice", reason: .malformed) { cluster in
                bytes(cluster, [RefusalTests().open, RefusalTests().open])
            },
            Misdeed(testDescription: "too much credit", reason: .malformed) { cluster in
                bytes(cluster, [(.open, UInt64.max.bigEndianBytes)])
            },
            Misdeed(testDescription: "a message that is none", reason: .malformed) { cluster in
                bytes(cluster, [RefusalTests().open, (.message, [1, 2, 3])])
            },
            Misdeed(testDescription: "a snapshot's frame that is none", reason: .malformed) { cluster in
                bytes(cluster, [RefusalTests().open, (.snapshot, [1, 99])])
            },
            Misdeed(testDescription: "a frame twice", reason: .replayed) { cluster in
                let opened = bytes(cluster, [RefusalTests().open])
                let both = bytes(cluster, [RefusalTests().open, (.message, RefusalTests().query)])
                return both + both[opened.count...]
            },
            Misdeed(testDescription: "two frames in the wrong order", reason: .replayed) { cluster in
                let ping = Frame.headBytes
                let both = bytes(cluster, [(.ping, []), (.ping, [])])
                return Array(both[ping...] + both[..<ping])
            },
            Misdeed(testDescription: "a frame too long", reason: .oversized) { cluster in
                var bytes = bytes(cluster, [RefusalTests().open, (.message, RefusalTests().query)])
                // The length of the second frame: 4 MiB and one.
                bytes.replaceSubrange(32 + 20..<32 + 24, with: [0x00, 0x40, 0x00, 0x01])
                return bytes
            },
            Misdeed(
                testDescription: "half a frame, and gone", reason: .truncated,
                bytes: { cluster in
                    bytes(cluster, [RefusalTests().open, (.message, RefusalTests().query)]).dropLast(5)
                }, ends: true),
        ]

        @Test(arguments: misdeeds)
        func `a frame that is wrong ends the connection and changes nothing`(misdeed: Misdeed) async throws {
            try await withNode { a, cluster, port in
                let peer = try await member(cluster, port)
                peer.write(misdeed.bytes(cluster))
                if misdeed.ends {
                    try await eventually("its first frame is there") { a.events == ["connected b"] }
                    peer.close()
                }
                try await eventually("it is refused") { a.refusals(misdeed.reason) == 1 }
                try await eventually("it is closed") { peer.isClosed }
                try await eventually("its end is seen") { a.events == [] || a.events.last == "disconnected b" }
                #expect(a.messageCount <= (misdeed.testDescription == "a frame twice" ? 1 : 0))
                // It may come again and behave.
                let again = try await member(cluster, port)
                again.write(frames(cluster, [open]))
                try await eventually("it is heard") { a.events.last == "connected b" }
            }
        }

        @Test func `twenty refusals of a kind are counted, and are one line`() async throws {
            try await withNode { a, cluster, port in
                for _ in 0..<20 {
                    let peer = try await RawPeer.connect(port: port, try security(cluster, "d"))
                    try await eventually("it is closed") { peer.isClosed }
                }
                #expect(a.refusals(.notAMember) == 20)
                #expect(a.log.lines.count { $0.contains("d is no other member") } == 1)
            }
        }

        @Test func `a member that sends without credit is cut off`() async throws {
            var limits = MeshLimits.quick
            limits.frameBytesMax = 10_000
            limits.inboxBytesMax = 40_000
            try await withNode(limits: limits) { a, cluster, port in
                a.standStill(true)
                let peer = try await member(cluster, port)
                let ids = Message.confirm((0..<500).map { OrderID(high: 0, low: $0) }).encoded
                peer.write(frames(cluster, [open] + Array(repeating: (.message, ids), count: 6)))
                try await eventually("it is refused") { a.refusals(.overCredit) == 1 && peer.isClosed }
                #expect(a.mesh.metrics.peers[0].inboxBytes <= 40_000)
            }
        }

        @Test func `a member that sends more than it may in a second is read more slowly`() async throws {
            var limits = MeshLimits.quick
            limits.framesPerSecondMax = 200
            try await withNode(limits: limits) { a, cluster, port in
                let peer = try await member(cluster, port)
                let began = ContinuousClock.now
                // Two hundred at once, then two hundred a second.
                for start in stride(from: 0, to: 500, by: 50) {
                    let burst = frames(cluster, [open] + Array(repeating: (.ping, []), count: 499))
                    let from = start == 0 ? 0 : 32 + (start - 1) * 24
                    peer.write(Array(burst[from..<32 + (start + 49) * 24]))
                    try await eventually("they are taken") { a.mesh.metrics.peers[0].framesIn >= start + 50 }
                }
                #expect(ContinuousClock.now - began > .seconds(1))
                #expect(a.mesh.metrics.peers[0].throttled > 0)
                #expect(a.events == ["connected b"])
            }
        }
    }
}

extension TestNode {
    var messageCount: Int {
        mesh.metrics.peers.map { peer in received(from: peer.name) }.reduce(0, +)
    }
}
