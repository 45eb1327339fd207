import Foundation
import TestSupport
import Testing

/// `pgbook cluster`, as one types it. It needs no database.
@Suite struct ClusterCommandTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "pgbook-cluster-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test func `a cluster is made in three commands, each of which says the next`() throws {
        try withFolder { path in
            let made = try Program.run(["cluster", "init", "--name", "demo", "--window", "500ms", path])
            #expect(made.status == 0 && made.errors == "")
            #expect(made.lines.last == "next  pgbook cluster add-node a --host ADDRESS \(path)")
            let first = try Program.run(["cluster", "add-node", "a", "--host", "10.0.0.1", path])
            #expect(first.lines.first?.hasPrefix("added  a at 10.0.0.1:7420; its certificate ends 20") == true)
            #expect(
                first.lines.last
                    == "next   copy \(path)/a to that machine, and there: pgbook gossip --config a/cluster.json"
            )
            let second = try Program.run(["cluster", "add-node", "b", "--host", "[::1]:7421", path])
            #expect(second.lines.last == "       copy cluster.json of a to theirs too, and start them again")

            let shown = try Program.run(["cluster", "show", path])
            #expect(shown.status == 0)
            #expect(shown.lines.first?.hasPrefix("cluster demo-") == true)
            #expect(shown.lines.first?.hasSuffix(", window 500 ms, closes early") == true)
            #expect(shown.lines.last?.hasPrefix("b     [::1]:7421     20") == true, "\(shown.output)")
            let json: [String: Any] = try Program.run(["cluster", "show", "--json", path]).json()
            let nodes = try #require(json["nodes"] as? [[String: Any]])
            #expect(nodes.map { $0["node"] as? String } == ["a", "b"])
            #expect(nodes.map { $0["port"] as? Int } == [7420, 7421])
        }
    }

    @Test func `what cannot be done is one line and exit code 1`() throws {
        try withFolder { path in
            let nothing = try Program.run(["cluster", "show", path])
            #expect(nothing.status == 1)
            #expect(nothing.errors == "pgbook: cannot read \(path)/cluster.json; make it with: pgbook cluster init\n")
            #expect(try Program.run(["cluster", "init", "--name", "demo", path]).status == 0)
            let again = try Program.run(["cluster", "init", "--name", "demo", path])
            #expect(again.status == 1 && again.errors.contains("holds a cluster already"))
            let nowhere = try Program.run(["cluster", "add-node", "a", path])
            #expect(nowhere.status == 1)
            #expect(nowhere.errors == "pgbook: where is a? give --host, where the other nodes find it\n")
        }
    }

    @Test func `a node whose certificate is lost is shown, with exit code 1`() throws {
        try withFolder { path in
            _ = try Program.run(["cluster", "init", "--name", "demo", path])
            _ = try Program.run(["cluster", "add-node", "a", "--host", "h", path])
            try FileManager.default.removeItem(atPath: "\(path)/a/node.pem")
            let shown = try Program.run(["cluster", "show", path])
            #expect(shown.status == 1 && shown.errors == "")
            #expect(shown.output.contains("cannot read \(path)/a/node.pem; make it with: pgbook cluster add-node"))
        }
    }
}
