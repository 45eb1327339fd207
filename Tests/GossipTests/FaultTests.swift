import Gossip
import OrderBook
import Replication
import TestSupport
import Testing

/// Real sockets with a proxy between the nodes that breaks what passes.
extension MeshSuites {
    @Suite struct FaultTests {
        /// Two nodes that reach each other through the proxy only.
        private func withProxy(_ body: (TestNode, TestNode, FaultProxy) async throws -> Void) async throws {
            let cluster = try await TestCluster(["a", "b"])
            let proxy = try FaultProxy()
            let (toA, toB) = (
                try proxy.add("ba", to: try cluster.port("a")), try proxy.add("ab", to: try cluster.port("b"))
            )
            let ports = (a: try cluster.port("a"), b: try cluster.port("b"))
            let a = try cluster.node("a") {
                $0.members[1].port = toB
                $0.listen = "127.0.0.1:\(ports.a)"
            }
            let b = try cluster.node("b") {
                $0.members[0].port = toA
                $0.listen = "127.0.0.1:\(ports.b)"
            }
            try await cluster.run([a, b]) {
                try await connected(a, b)
                try await body(a, b, proxy)
            }
        }

        private func exchange(_ number: Int64, _ a: TestNode, _ b: TestNode) async throws {
            let message = Message.chainQuery(Timestamp(number))
            try await eventually("they are connected and hear each other") {
                a.mesh.send(message, to: b.name)
                b.mesh.send(message, to: a.name)
                return a.messages(from: b).last == message && b.messages(from: a).last == message
            }
        }

        @Test func `after a reset they connect again`() async throws {
            try await withProxy { a, b, proxy in
                for number in 1...5 as ClosedRange<Int64> {
                    let before = a.metrics(of: b).connections
                    try proxy.run(["do": "reset"])
                    try await eventually("the loss is seen and mended") { a.metrics(of: b).connections > before }
                    try await exchange(number, a, b)
                }
                #expect(a.events.count { $0 == "disconnected b" } >= 5)
            }
        }

        @Test(arguments: ["both", "out", "back"])
        func `a connection on which nothing comes is ended, and made again when the way is clear`(way: String)
            async throws
        {
            try await withProxy { a, b, proxy in
                try proxy.run(["do": "blackhole", "way": way])
                try await eventually("both see it end") { !a.isConnected(to: b) && !b.isConnected(to: a) }
                #expect(a.refusals(.idle) + b.refusals(.idle) > 0)
                try proxy.run(["do": "heal"])
                try await exchange(1, a, b)
            }
        }

        @Test func `a half-open connection is noticed`() async throws {
            try await withProxy { a, b, proxy in
                try proxy.run(["do": "half-open", "way": "out"])
                try await eventually("the side that knows is gone") { !b.isConnected(to: a) || b.events.count > 1 }
                try await exchange(1, a, b)
                #expect(a.metrics(of: b).connections > 1)
            }
        }

        @Test(arguments: ["flip", "duplicate", "reorder"])
        func `bytes that were changed on the way are noticed, and no message is wrong`(what: String) async throws {
            try await withProxy { a, b, proxy in
                try proxy.run(["do": what, "after": 10])
                for number in 1...200 as ClosedRange<Int64> {
                    a.mesh.send(.chainQuery(Timestamp(number)), to: b.name)
                    b.mesh.send(.chainQuery(Timestamp(number)), to: a.name)
                }
                try await eventually("the connection is made anew") { a.metrics(of: b).connections > 1 }
                try await exchange(1_000, a, b)
                for messages in [a.messages(from: b), b.messages(from: a)] {
                    let numbers = messages.compactMap { message -> Int64? in
                        if case .chainQuery(let time) = message { time.rawValue } else { nil }
                    }
                    #expect(numbers.count == messages.count)
                    #expect(numbers.allSatisfy { (1...200).contains($0) || $0 == 1_000 })
                    let first = numbers.filter { $0 < 1_000 }
                    #expect(first == first.sorted() && Set(first).count == first.count)
                }
            }
        }

        @Test func `a slow and shaky line delays, and nothing else`() async throws {
            try await withProxy { a, b, proxy in
                try proxy.run(["do": "delay", "ms": 30, "jitter": 25])
                try proxy.run(["do": "slow", "bytes": 100_000])
                let numbers = (1...500).map { Int64($0) }
                for number in numbers { a.mesh.send(.chainQuery(Timestamp(number)), to: b.name) }
                try await eventually("all come") { b.messages(from: a).count == 500 }
                #expect(b.messages(from: a) == numbers.map { .chainQuery(Timestamp($0)) })
                #expect(a.metrics(of: b).connections == 1)
            }
        }

        @Test func `a peer that does not accept is tried until it does`() async throws {
            try await withProxy { a, b, proxy in
                try proxy.run(["do": "stop"])
                try proxy.run(["do": "reset"])
                try await eventually("it is tried") { a.mesh.metrics.dialsFailed > 5 && b.mesh.metrics.dialsFailed > 5 }
                try proxy.run(["do": "heal"])
                try await exchange(1, a, b)
            }
        }
    }
}
