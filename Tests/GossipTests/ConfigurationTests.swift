import Foundation
import Gossip
import Replication
import Testing

@Suite struct ConfigurationTests {
    private func configuration(_ change: (inout ClusterConfiguration) -> Void) -> ClusterConfiguration {
        var configuration = ClusterConfiguration(
            cluster: "test-1", node: "a",
            members: [.init(name: "a", host: "h", port: 1), .init(name: "b", host: "h", port: 2)])
        change(&configuration)
        return configuration
    }

    @Test func `what is wrong with a configuration is said in one line`() {
        #expect(configuration { _ in }.fault == nil)
        let cases: [(change: (inout ClusterConfiguration) -> Void, text: String)] = [
            ({ $0.cluster = "A b" }, "cluster 'A b' is no id; it has 1 to 64 of a-z, 0-9 and -"),
            ({ $0.members[1].name = "a" }, "two members have the same name"),
            ({ $0.members[1].name = "-x" }, "'-x' is no node's name; it has 1 to 32 of a-z, 0-9 and -, not - first"),
            ({ $0.members[1].port = 70_000 }, "member b has no address: 'h:70000'"),
            ({ $0.node = "c" }, "node 'c' is no member"),
            ({ $0.listen = "nowhere" }, "listen 'nowhere' is not HOST:PORT"),
            ({ $0.confirmations = 2 }, "confirmations 2 is more than there are other members"),
            ({ $0.windowMilliseconds = 0 }, "windowMilliseconds 0 is outside 1 to 3600000"),
            (
                { $0.members = (0..<10).map { .init(name: "n\($0)", host: "h", port: 1) } },
                "10 members; a cluster has at most 9"
            ),
        ]
        for (change, text) in cases { #expect(configuration(change).fault == text) }
    }

    @Test func `the machine's settings follow from it`() throws {
        let replication = try #require(
            configuration {
                $0.windowMilliseconds = 500
                $0.confirmations = 1
                $0.closesEarly = false
                $0.members.reverse()
            }.replication)
        #expect(replication.name == NodeName("a"))
        #expect(replication.members.map(\.rawValue) == ["a", "b"])
        #expect(replication.window == 500_000)
        #expect(replication.confirmations == 1 && !replication.closesEarly)
    }

    @Test(arguments: [
        ("h:1", "h:1"), ("h", "h:7420"), ("10.0.0.1:0", "10.0.0.1:0"), ("[::1]:5", "[::1]:5"), ("[::1]", "[::1]:7420"),
    ])
    func `an address is a host and a port`(text: String, expected: String) {
        #expect(Address(text, portDefault: 7420)?.description == expected)
    }

    @Test(arguments: ["", ":1", "h:", "h:x", "h:70000", "h:-1", "a b:1", "[::1]x"])
    func `this is no address`(text: String) { #expect(Address(text, portDefault: 7420) == nil) }

    // MARK: Folders

    private func withFolder(_ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "pgbook-cluster-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test func `a folder holds a cluster, and a folder for each node`() throws {
        try withFolder { path in
            var folder = try ClusterFolder.make(at: path, name: "test") { $0.confirmations = 1 }
            #expect(folder.configuration.cluster.hasPrefix("test-"))
            _ = try folder.add(NodeName("b")!, at: Address("10.0.0.2:1"))
            var opened = try ClusterFolder(path: path)
            _ = try opened.add(NodeName("a")!, at: Address("10.0.0.1:1"))
            for name in ["a", "b"] {
                let own = try ClusterConfiguration(file: "\(path)/\(name)/cluster.json")
                #expect(own.node == name && own.members.map(\.name) == ["a", "b"] && own.confirmations == 1)
                let credentials = try NodeCredentials(folder: "\(path)/\(name)")
                #expect(credentials.node.rawValue == name && credentials.cluster == own.cluster)
                #expect(credentials.expiryWarning() == nil)
                #expect(try mode("\(path)/\(name)/node.key") == 0o600)
            }
            #expect(try mode("\(path)/ca.key") == 0o600)
            #expect(try mode(path) == 0o700)
        }
    }

    @Test func `a cluster is not made over another, nor a node without an address`() throws {
        try withFolder { path in
            var folder = try ClusterFolder.make(at: path, name: "test")
            let again = #expect(throws: GossipFault.self) { try ClusterFolder.make(at: path, name: "test") }
            #expect(again?.description == "\(path) holds a cluster already; see it with: pgbook cluster show \(path)")
            let nowhere = #expect(throws: GossipFault.self) { try folder.add(NodeName("a")!, at: nil) }
            #expect(nowhere?.description == "where is a? give --host, where the other nodes find it")
        }
    }

    @Test func `a node's certificate is made anew where it is, and it goes on listening where it did`() throws {
        try withFolder { path in
            var folder = try ClusterFolder.make(at: path, name: "test")
            let own = "\(try folder.add(NodeName("a")!, at: Address("10.0.0.1:1")))/cluster.json"
            var changed = try ClusterConfiguration(file: own)
            changed.listen = "0.0.0.0:1"
            try changed.encoded.write(to: URL(filePath: own))
            let before = FileManager.default.contents(atPath: "\(path)/a/node.pem")
            _ = try folder.add(NodeName("a")!, at: nil)
            #expect(FileManager.default.contents(atPath: "\(path)/a/node.pem") != before)
            #expect(try ClusterConfiguration(file: own) == changed)
        }
    }

    @Test func `a key that others may read is refused`() throws {
        try withFolder { path in
            var folder = try ClusterFolder.make(at: path, name: "test")
            let key = "\(try folder.add(NodeName("a")!, at: Address("h:1")))/node.key"
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: key)
            let fault = #expect(throws: GossipFault.self) { try folder.credentials(of: NodeName("a")!) }
            #expect(fault?.description == "others may read \(key); run: chmod 600 \(key)")
        }
    }

    @Test func `sixty days before the end of a certificate an operator is told`() throws {
        let authority = try CertificateAuthority(cluster: "test-1")
        let now = Date()
        let credentials = { (days: Double) in
            let issued = try authority.issue(to: NodeName("a")!, until: now.addingTimeInterval(days * 86_400 + 60))
            return try NodeCredentials(
                authority: try authority.certificatePEM, certificate: issued.certificate, key: issued.key)
        }
        #expect(try credentials(60).expiryWarning(now: now) == nil)
        let next = "make it anew with: pgbook cluster add-node a"
        #expect(try credentials(59).expiryWarning(now: now) == "the certificate of a ends in 59 days; \(next)")
        #expect(try credentials(-3).expiryWarning(now: now) == "the certificate of a is over since 3 days; \(next)")
    }

    @Test func `a file that is damaged is named`() throws {
        try withFolder { path in
            _ = try ClusterFolder.make(at: path, name: "test")
            let file = "\(path)/cluster.json"
            try Data(#"{"cluster": "x"}"#.utf8).write(to: URL(filePath: file))
            let fault = #expect(throws: GossipFault.self) { try ClusterFolder(path: path) }
            #expect(fault?.description.hasPrefix("\(file) is not a cluster's configuration: '") == true)
            #expect(fault?.description.hasSuffix("' is missing") == true)
        }
    }
}
