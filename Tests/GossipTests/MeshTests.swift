import Foundation
import Gossip
import OrderBook
import Replication
import TestSupport
import Testing

/// One group of nodes at a time: each has sockets and certificates of its own.
@Suite(.serialized) enum MeshSuites {}

/// Nodes that behave.
extension MeshSuites {
    @Suite struct MeshTests {
        private func queries(_ numbers: ClosedRange<Int64>) -> [Message] { numbers.map { .chainQuery(Timestamp($0)) } }

        @Test func `messages arrive in order, each once, both ways`() async throws {
            let cluster = try await TestCluster(["a", "b"])
            let (a, b) = (try cluster.node("a"), try cluster.node("b"))
            try await cluster.run([a, b]) {
                try await connected(a, b)
                for message in queries(1...5_000) {
                    a.mesh.send(message, to: b.name)
                    b.mesh.send(message, to: a.name)
                }
                try await eventually("all have come") {
                    a.messages(from: b).count >= 5_000 && b.messages(from: a).count >= 5_000
                }
                #expect(b.messages(from: a) == queries(1...5_000))
                #expect(a.messages(from: b) == queries(1...5_000))
                #expect(a.refusals(.malformed) == 0)
            }
        }

        @Test func `three nodes are connected each with each, by one connection`() async throws {
            let cluster = try await TestCluster(["a", "b", "c"])
            let nodes = [try cluster.node("a"), try cluster.node("b"), try cluster.node("c")]
            try await cluster.run(nodes) {
                try await connected(nodes[0], nodes[1], nodes[2])
                for node in nodes {
                    for peer in nodes where peer !== node {
                        node.mesh.send(.late([LogRange(origin: node.name, numbers: 1...7)]), to: peer.name)
                    }
                }
                try await eventually("each has heard from each") {
                    nodes.allSatisfy { node in
                        nodes.allSatisfy { $0 === node || node.messages(from: $0).count == 1 }
                    }
                }
                for node in nodes {
                    let peers = nodes.filter { $0 !== node }
                    #expect(peers.map { node.metrics(of: $0).connections } == [1, 1])
                }
            }
        }

        @Test func `the largest message passes, and a larger one ends the connection at the sender`() async throws {
            let cluster = try await TestCluster(["a", "b"])
            var limits = MeshLimits.quick
            limits.frameBytesMax = 100_000
            let (a, b) = (try cluster.node("a", limits: limits), try cluster.node("b", limits: limits))
            try await cluster.run([a, b]) {
                try await connected(a, b)
                // 16 bytes each, and a few before them.
                let ids = { (count: Int) in (0..<count).map { OrderID(high: 1, low: UInt64($0)) } }
                a.mesh.send(.confirm(ids(6_249)), to: b.name)
                try await eventually("it comes") { b.messages(from: a) == [.confirm(ids(6_249))] }
                a.mesh.send(.confirm(ids(6_251)), to: b.name)
                try await eventually("it is refused") { a.refusals(.oversized) == 1 }
                try await eventually("they connect again") { a.metrics(of: b).connections == 2 }
            }
        }

        @Test func `a peer that is disconnected is told why, and connects again`() async throws {
            let cluster = try await TestCluster(["a", "b"])
            let (a, b) = (try cluster.node("a"), try cluster.node("b"))
            try await cluster.run([a, b]) {
                try await connected(a, b)
                a.mesh.disconnect(b.name, because: "the windows differ")
                try await eventually("both have seen it end and begin") {
                    a.events == ["connected b", "disconnected b", "connected b"]
                        && b.events == ["connected a", "disconnected a", "connected a"]
                }
                #expect(b.log.lines.contains { $0.contains("it said: the windows differ") })
                #expect(a.refusals(.disconnected) == 1)
            }
        }

        @Test func `what is counted can be read as text`() async throws {
            let cluster = try await TestCluster(["a", "b"])
            let (a, b) = (try cluster.node("a"), try cluster.node("b"))
            try await cluster.run([a, b]) {
                try await connected(a, b)
                a.mesh.send(.chainQuery(Timestamp(1)), to: b.name)
                try await eventually("it comes") { b.messages(from: a).count == 1 }
                let lines = b.mesh.metrics.text.split(separator: "\n").map { String($0) }
                #expect(lines.contains("# TYPE pgbook_gossip_frames_total counter"))
                #expect(lines.contains(#"pgbook_gossip_peer_connected{peer="a"} 1"#))
                #expect(lines.contains(#"pgbook_gossip_queue_bytes{peer="a",queue="in"} 0"#))
                #expect(lines.contains(#"pgbook_gossip_refusals_total{reason="overCredit"} 0"#))
                #expect(lines.contains("pgbook_gossip_dials_failed_total \(b.mesh.metrics.dialsFailed)"))
            }
        }

        @Test func `a node that starts later is found`() async throws {
            let cluster = try await TestCluster(["a", "b"])
            let (a, b) = (try cluster.node("a"), try cluster.node("b"))
            try await cluster.run([a]) {
                try await eventually("a has tried in vain") { a.mesh.metrics.dialsFailed > 3 }
                try await cluster.run([b]) { try await connected(a, b) }
                try await eventually("a sees it go") { !a.isConnected(to: b) }
            }
            // However often it failed, one line in ten seconds.
            #expect(a.log.lines.count { $0.contains("cannot reach b") } == 1)
        }

        @Test func `a port that is taken is said in one line`() async throws {
            let cluster = try await TestCluster(["a", "b"])
            let port = try cluster.port("b")
            let (a, b) = (try cluster.node("a") { $0.listen = "127.0.0.1:\(port)" }, try cluster.node("b"))
            try await cluster.run([b]) {
                try await eventually("b listens") { (try? await RawPeer.connect(port: port, nil))?.close() != nil }
                let fault = await #expect(throws: GossipFault.self) { try await a.mesh.run() }
                #expect(fault?.description.hasPrefix("cannot listen on 127.0.0.1:\(port): ") == true)
            }
        }

        @Test func `a certificate of another node is not taken for one's own`() async throws {
            let cluster = try await TestCluster(["a", "b"])
            let credentials = try cluster.credentials("b")
            let fault = #expect(throws: GossipFault.self) { try cluster.node("a", credentials: credentials) }
            #expect(fault?.description == "the certificate is of b in test-1, not of a in test-1")
        }
    }
}
