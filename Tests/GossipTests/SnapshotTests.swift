import OrderBook
import Replication
import TestSupport
import Testing

@testable import Gossip

/// A node's state on its way to another.
extension MeshSuites {
    @Suite struct SnapshotTests {
        private func withNodes(_ body: (TestNode, TestNode) async throws -> Void) async throws {
            let cluster = try await TestCluster(["a", "b"])
            var limits = MeshLimits.quick
            limits.snapshotBytesMax = 100_000
            limits.snapshotPartBytes = 10_000
            let (a, b) = (try cluster.node("a", limits: limits), try cluster.node("b", limits: limits))
            try await cluster.run([a, b]) {
                try await connected(a, b)
                try await body(a, b)
            }
        }

        private func request(at node: TestNode) async throws -> SnapshotRequest {
            try await eventually("the request comes") { !node.requests.isEmpty }
            return try #require(node.requests.last)
        }

        private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) } }

        @Test func `a state comes whole and in order, and messages pass meanwhile`() async throws {
            try await withNodes { a, b in
                let state = bytes(1_000_003)
                async let copied: [UInt8] = {
                    let copy = try await a.mesh.snapshot(from: b.name)
                    #expect(copy.header == [1, 2, 3])
                    var all: [UInt8] = []
                    for try await part in copy { all += part }
                    return all
                }()
                let request = try await request(at: b)
                #expect(request.peer == a.name)
                request.begin([1, 2, 3])
                for start in stride(from: 0, to: state.count, by: 33_333) {
                    try await request.send(Array(state[start..<min(start + 33_333, state.count)]))
                    b.mesh.send(.chainQuery(Timestamp(Int64(start))), to: a.name)
                }
                request.end()
                #expect(try await copied == state)
                try await eventually("so do the messages") { a.messages(from: b).count == 31 }
            }
        }

        @Test func `a taker that stands still stops the giver`() async throws {
            try await withNodes { a, b in
                async let beginning = a.mesh.snapshot(from: b.name)
                let request = try await request(at: b)
                request.begin([])
                let copy = try await beginning
                let sent = SentBytes()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for _ in 0..<100 {
                            try await request.send(Array(repeating: 7, count: 10_000))
                            sent.add(10_000)
                        }
                        request.end()
                    }
                    try await eventually("its credit is used up") { sent.count == 100_000 }
                    // Both go on talking, and nothing more is sent.
                    for number in 1...20 as ClosedRange<Int64> {
                        b.mesh.send(.chainQuery(Timestamp(number)), to: a.name)
                        try await eventually("it comes") { a.messages(from: b).count == number }
                    }
                    #expect(sent.count == 100_000)
                    var count = 0
                    for try await part in copy { count += part.count }
                    #expect(count == 1_000_000)
                    try await group.waitForAll()
                }
            }
        }

        @Test func `a refusal is said to the taker`() async throws {
            try await withNodes { a, b in
                async let refusal: GossipFault? = {
                    do throws(GossipFault) { _ = try await a.mesh.snapshot(from: b.name) } catch { return error }
                    return nil
                }()
                try await request(at: b).refuse(because: "b is not level itself\0" + String(repeating: "é", count: 500))
                #expect(await refusal?.description.hasPrefix("b is not level itselféé") == true)
                #expect(a.metrics(of: b).connections == 1)
            }
        }

        @Test func `a state whose giver is lost in the middle is not taken for whole`() async throws {
            try await withNodes { a, b in
                async let beginning = a.mesh.snapshot(from: b.name)
                let request = try await request(at: b)
                request.begin([])
                let copy = try await beginning
                try await request.send(bytes(50_000))
                b.mesh.disconnect(a.name, because: "a test")
                await #expect(throws: GossipFault.self) { for try await _ in copy {} }
                await #expect(throws: GossipFault.self) { try await request.send(bytes(200_000)) }
            }
        }

        @Test func `a taker that wants no more stops the giver, and may ask again`() async throws {
            try await withNodes { a, b in
                async let beginning = a.mesh.snapshot(from: b.name)
                let first = try await request(at: b)
                first.begin([])
                try await beginning.cancel()
                await #expect(throws: GossipFault.self) {
                    for _ in 0..<20 { try await first.send(bytes(50_000)) }
                }
                async let again = a.mesh.snapshot(from: b.name)
                try await eventually("it is asked again") { b.requests.count == 2 }
                b.requests[1].begin([9])
                #expect(try await again.header == [9])
            }
        }

        @Test func `no state comes from a peer that is not there`() async throws {
            let cluster = try await TestCluster(["a", "b"])
            let a = try cluster.node("a")
            let fault = await #expect(throws: GossipFault.self) { _ = try await a.mesh.snapshot(from: NodeName("b")!) }
            #expect(fault?.description == "there is no connection to b")
        }
    }
}
