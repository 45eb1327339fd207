public import Foundation
public import Replication

/// What stands in a node's `cluster.json`: the cluster as all its nodes must see it, and which of them this is.
///
///     let configuration = try ClusterConfiguration(file: "cluster/a/cluster.json")
public struct ClusterConfiguration: Codable, Hashable, Sendable {
    /// What frames and certificates carry: made once, by `pgbook cluster init`.
    public var cluster: String
    /// Which member this node is; nil in the copy that the authority keeps.
    public var node: String?
    /// Where to listen, as `HOST:PORT`; nil where that is the member's own address.
    public var listen: String?
    public var members: [Member]
    public var windowMilliseconds: Int64
    /// Whether pools close as soon as the watermarks of all members have passed them.
    public var closesEarly: Bool
    /// How many other nodes must have stored a command before it gets its stamp.
    public var confirmations: Int

    public struct Member: Codable, Hashable, Sendable {
        public var name: String
        /// Where the others find it.
        public var host: String
        public var port: Int

        public init(name: String, host: String, port: Int) {
            self.name = name
            self.host = host
            self.port = port
        }
    }

    public static let membersMax = 9
    public static let portDefault = 7420

    public init(
        cluster: String, node: String? = nil, listen: String? = nil, members: [Member] = [],
        windowMilliseconds: Int64 = 3_000, closesEarly: Bool = true, confirmations: Int = 0
    ) {
        self.cluster = cluster
        self.node = node
        self.listen = listen
        self.members = members
        self.windowMilliseconds = windowMilliseconds
        self.closesEarly = closesEarly
        self.confirmations = confirmations
    }
}

extension ClusterConfiguration {
    /// The first thing that is wrong with it, in one line; nil where nothing is.
    public var fault: String? { fault(growing: node == nil) }

    /// - Parameter growing: members are still being added, so that there may be fewer than `confirmations` asks for.
    func fault(growing: Bool) -> String? {
        if !Self.isClusterID(cluster) {
            return "cluster '\(cluster.prefix(80))' is no id; it has 1 to 64 of a-z, 0-9 and -"
        }
        if members.count > Self.membersMax {
            return "\(members.count) members; a cluster has at most \(Self.membersMax)"
        }
        if let member = members.first(where: { NodeName($0.name) == nil }) {
            return "'\(member.name.prefix(40))' is no node's name; it has 1 to 32 of a-z, 0-9 and -, not - first"
        }
        if Set(members.map(\.name)).count < members.count { return "two members have the same name" }
        if let member = members.first(where: { $0.host.isEmpty || !(0...65_535).contains($0.port) }) {
            return "member \(member.name) has no address: '\(member.host):\(member.port)'"
        }
        if !(1...3_600_000).contains(windowMilliseconds) {
            return "windowMilliseconds \(windowMilliseconds) is outside 1 to 3600000"
        }
        if !(0..<(growing ? Self.membersMax : max(1, members.count))).contains(confirmations) {
            return "confirmations \(confirmations) is more than there are other members"
        }
        if let node, !members.contains(where: { $0.name == node }) { return "node '\(node.prefix(40))' is no member" }
        if let listen, Address(listen) == nil { return "listen '\(listen.prefix(80))' is not HOST:PORT" }
        return nil
    }

    public static func isClusterID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            }
    }

    /// How the nodes of this cluster agree. Nil without `node`.
    public var replication: ReplicationConfiguration? {
        guard let name = node.flatMap({ NodeName($0) }) else { return nil }
        var configuration = ReplicationConfiguration(
            name: name, clusterID: cluster, members: members.compactMap { NodeName($0.name) })
        configuration.setWindow(windowMilliseconds * 1_000)
        configuration.closesEarly = closesEarly
        configuration.confirmations = confirmations
        return configuration
    }

    /// Where this node listens.
    public var listenAddress: Address? {
        if let listen { return Address(listen) }
        return members.first { $0.name == node }.map { Address(host: $0.host, port: $0.port) }
    }
}

// MARK: Files

extension ClusterConfiguration {
    /// Reads and checks a file.
    public init(file: String) throws(GossipFault) {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw GossipFault("cannot read \(file); make it with: pgbook cluster init")
        }
        do {
            self = try JSONDecoder().decode(Self.self, from: data)
        } catch {
            throw GossipFault("\(file) is not a cluster's configuration: \(Self.words(for: error))")
        }
        if let fault { throw GossipFault("\(file): \(fault)") }
    }

    /// Where the node of a file listens, if that is written there, and whatever else is wrong with it.
    static func listen(inFile file: String) -> String? {
        let data = FileManager.default.contents(atPath: file)
        return data.flatMap { try? JSONDecoder().decode(Self.self, from: $0) }?.listen
    }

    /// As the file holds it: one key a line, so that people can read and compare it.
    public var encoded: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return try encoder.encode(self) + Data("\n".utf8)
        }
    }

    private static func words(for error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "'\(key.stringValue)' is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' is of another kind"
        default: "it is not JSON"
        }
    }
}
