import Foundation
public import Replication

/// The folder in which a cluster is kept together: the authority, the cluster's configuration, and a folder for each node
/// with all that it needs.
///
///     DIR/ca.key         the authority's key: it stays here
///     DIR/ca.pem         its certificate
///     DIR/cluster.json   the cluster
///     DIR/NODE/          ca.pem, node.pem, node.key, cluster.json: to be copied to the node's machine
public struct ClusterFolder {
    public let path: String
    public private(set) var configuration: ClusterConfiguration
    private let authority: CertificateAuthority

    static let authorityKeyFile = "ca.key"

    /// Makes a cluster without nodes.
    /// - Parameter name: what its id begins with; the rest is random, so that two clusters never have the same.
    public static func make(
        at path: String, name: String, change: (inout ClusterConfiguration) -> Void = { _ in }
    ) throws(GossipFault) -> ClusterFolder {
        let id = "\(name)-\(String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16))"
        var configuration = ClusterConfiguration(cluster: id)
        change(&configuration)
        if let fault = configuration.fault { throw GossipFault(fault) }
        guard !FileManager.default.fileExists(atPath: "\(path)/\(authorityKeyFile)") else {
            throw GossipFault("\(path) holds a cluster already; see it with: pgbook cluster show \(path)")
        }
        let folder = ClusterFolder(
            path: path, configuration: configuration, authority: try said { try CertificateAuthority(cluster: id) })
        try said {
            try makeFolder(path)
            try write(try folder.authority.keyPEM, to: "\(path)/\(authorityKeyFile)", isSecret: true)
            try write(try folder.authority.certificatePEM, to: "\(path)/\(NodeCredentials.authorityFile)")
            try folder.writeConfigurations()
        }
        return folder
    }

    /// Opens one that was made before.
    public init(path: String) throws(GossipFault) {
        let configuration = try ClusterConfiguration(file: "\(path)/\(NodeCredentials.configurationFile)")
        guard configuration.node == nil else {
            throw GossipFault("\(path) is the folder of one node; give the one above it")
        }
        let key = FileManager.default.contents(atPath: "\(path)/\(Self.authorityKeyFile)")
        let certificate = FileManager.default.contents(atPath: "\(path)/\(NodeCredentials.authorityFile)")
        guard let key, let certificate else {
            throw GossipFault("\(path) has no \(Self.authorityKeyFile) and \(NodeCredentials.authorityFile)")
        }
        self.init(
            path: path, configuration: configuration,
            authority: try Self.said {
                try CertificateAuthority(
                    cluster: configuration.cluster, certificate: String(decoding: certificate, as: UTF8.self),
                    key: String(decoding: key, as: UTF8.self))
            })
    }

    private init(path: String, configuration: ClusterConfiguration, authority: CertificateAuthority) {
        self.path = path
        self.configuration = configuration
        self.authority = authority
    }

    /// Adds a node, or makes the key and certificate of one anew.
    /// - Parameter address: may be left out for a node that is there.
    /// - Returns: the node's folder.
    public mutating func add(_ name: NodeName, at address: Address?) throws(GossipFault) -> String {
        var changed = configuration
        if let address {
            let member = ClusterConfiguration.Member(name: name.rawValue, host: address.host, port: address.port)
            changed.members.removeAll { $0.name == name.rawValue }
            changed.members.append(member)
            changed.members.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        } else if !changed.members.contains(where: { $0.name == name.rawValue }) {
            throw GossipFault("where is \(name)? give --host, where the other nodes find it")
        }
        if let fault = changed.fault(growing: true) { throw GossipFault(fault) }
        configuration = changed
        let folder = self.folder(of: name)
        try Self.said {
            let issued = try authority.issue(to: name)
            try Self.makeFolder(folder)
            try Self.write(issued.key, to: "\(folder)/\(NodeCredentials.keyFile)", isSecret: true)
            try Self.write(issued.certificate, to: "\(folder)/\(NodeCredentials.certificateFile)")
            try Self.write(try authority.certificatePEM, to: "\(folder)/\(NodeCredentials.authorityFile)")
            try writeConfigurations()
        }
        return folder
    }

    /// What a node proves itself by.
    public func credentials(of name: NodeName) throws(GossipFault) -> NodeCredentials {
        try NodeCredentials(folder: folder(of: name))
    }

    private func folder(of name: NodeName) -> String { "\(path)/\(name)" }

    // MARK: Files

    /// The cluster's own, and each node's with its name, and with where it listens if that was written there.
    private func writeConfigurations() throws {
        try configuration.encoded.write(
            to: URL(filePath: "\(path)/\(NodeCredentials.configurationFile)"), options: .atomic)
        for member in configuration.members {
            let folder = "\(path)/\(member.name)"
            guard FileManager.default.fileExists(atPath: folder) else { continue }
            let file = "\(folder)/\(NodeCredentials.configurationFile)"
            var own = configuration
            own.node = member.name
            own.listen = ClusterConfiguration.listen(inFile: file)
            try own.encoded.write(to: URL(filePath: file), options: .atomic)
        }
    }

    /// Nobody else may look into it, so that no key is open for the instant before its own mode is set.
    private static func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    private static func write(_ text: String, to file: String, isSecret: Bool = false) throws {
        if !text.hasSuffix("\n") { return try write(text + "\n", to: file, isSecret: isSecret) }
        try Data(text.utf8).write(to: URL(filePath: file), options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: isSecret ? 0o600 : 0o644], ofItemAtPath: file)
    }

    /// What goes wrong with files and keys, in one line.
    private static func said<T>(_ body: () throws -> T) throws(GossipFault) -> T {
        do {
            return try body()
        } catch let fault as GossipFault {
            throw fault
        } catch let error as CocoaError {
            throw GossipFault("\(error.localizedDescription)")
        } catch {
            throw GossipFault("\(error)".split(whereSeparator: \.isNewline).joined(separator: " "))
        }
    }
}
