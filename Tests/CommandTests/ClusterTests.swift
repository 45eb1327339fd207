import Foundation
import Postgres
import Store
import TestSupport
import Testing

/// Nodes of one cluster as users run them: a server and a sidecar each, real sockets, a database each.
@Suite(.serialized) struct ClusterTests {
    @Test func `what enters at one node is executed at all, the same`() async throws {
        try await withCluster { cluster in
            let (a, b) = (cluster.nodes[0], cluster.nodes[1])
            let bid = try a.place("bid", 2, at: 101)
            let ask = try b.place("ask", 1, at: 101)
            for node in cluster.nodes {
                try await eventually("\(node.name) has executed both") {
                    try node.status(of: bid) == "open" && node.status(of: ask) == "filled"
                }
            }
            try await cluster.becomeEqual()
            // The market was added at one node alone.
            #expect(try b.value("SELECT count(*)::text FROM pgbook_data.markets") == "1")
        }
    }

    @Test func `orders that enter while a sidecar is dead are stamped when it is back`() async throws {
        try await withCluster { cluster in
            let (a, b) = (cluster.nodes[0], cluster.nodes[1])
            a.killSidecar()
            let order = try a.place("bid", 3, at: 99)
            // The other goes on alone; this one executes nothing that nobody else knows.
            try await eventually("the other has missed it") { try !b.isReady }
            try await eventually("the other goes on alone") { try b.isReady }
            #expect(try a.status(of: order) == "pending")
            // The window has passed since its sidecar wrote last.
            let shown = try Program.run(["status"], database: a.database.url(as: .node)).output
            #expect(shown.contains("and what follows is of then; orders wait until it runs: pgbook gossip"), "\(shown)")
            try a.startSidecar()
            for node in cluster.nodes {
                try await eventually("\(node.name) has it") { try node.status(of: order) == "open" }
            }
            try await cluster.becomeEqual()
        }
    }

    @Test func `a row changed by hand is found by its results, and replaced by that of the log`() async throws {
        try await withCluster { cluster in
            let (a, b) = (cluster.nodes[0], cluster.nodes[1])
            _ = try b.place("ask", 2, at: 101)
            try await cluster.becomeEqual()
            // Of two nodes the one with the lower name is right where commands differ; here the log is.
            _ = try a.value(
                "WITH changed AS (UPDATE pgbook_data.book SET amount = 9 RETURNING 1) SELECT count(*)::text FROM changed"
            )
            // A matcher has the books of its markets in memory, and reads rows where it has not.
            try a.restartServer()
            let bid = try b.place("bid", 3, at: 101)
            try await eventually("a is rebuilt") {
                try a.value("SELECT count(*)::text FROM pgbook.divergence WHERE id = '\(bid)'") == "1"
            }
            try await cluster.becomeEqual()
            for node in cluster.nodes { #expect(try node.status(of: bid) == "open", "\(node.name)") }
            #expect(try b.value("SELECT count(*)::text FROM pgbook.divergence") == "0")
        }
    }

    @Test func `a cluster grows by a node`() async throws {
        try await withCluster { cluster in
            let order = try cluster.nodes[0].place("bid", 2, at: 101)
            try await cluster.becomeEqual()
            let others = cluster.nodes
            let new = try cluster.add("c")
            try others[0].restartSidecar()
            // Not before all know it.
            try new.start()
            try await eventually("the new node has what is there") { try new.status(of: order) == "open" }
            #expect(try !new.isReady)
            try others[1].restartSidecar()
            for node in cluster.nodes {
                try await eventually("\(node.name) takes orders: \(node.errors)") { try node.isReady }
            }
            let taken = try new.place("ask", 2, at: 101)
            try await cluster.becomeEqual()
            for node in cluster.nodes { #expect(try node.status(of: taken) == "filled", "\(node.name)") }
        }
    }

    @Test func `a node without its sidecar takes no orders to begin with, and says why`() throws {
        let database = try TestDatabase()
        let connection = try database.connection(as: .node)
        try connection.createCluster(id: "test", node: "a", members: ["a", "b"], window: 3_000_000)
        let status = try Program.run(["status"], database: database.url(as: .node))
        #expect(status.status == 1)
        #expect(status.output.contains("a of test: takes no orders"), "\(status.output)")
        #expect(status.output.contains("pgbook gossip"))
    }

    @Test func `a database alone says so`() throws {
        let database = try TestDatabase()
        let status = try Program.run(["status"], database: database.url(as: .node))
        #expect(status.output.contains("no node of a cluster"))
        // An order would wait.
        #expect(status.status == 1 && status.output.contains("no matcher is connected"), "\(status.output)")
    }
}
