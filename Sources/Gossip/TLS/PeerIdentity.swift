import Replication
import SwiftASN1
import X509

/// Who a certificate says its holder is: `pgbook://CLUSTER/NODE`, its one URI.
struct PeerIdentity: Hashable, Sendable {
    var cluster: String
    var node: NodeName

    var uri: String { "pgbook://\(cluster)/\(node)" }

    init(cluster: String, node: NodeName) {
        self.cluster = cluster
        self.node = node
    }

    /// - Parameter certificate: as DER; its signature was checked already.
    init(certificate bytes: [UInt8]) throws(GossipFault) {
        try self.init(Self.names(in: bytes))
    }

    private init(_ uris: [String]) throws(GossipFault) {
        guard uris.count == 1 else { throw GossipFault("its certificate names \(uris.count) nodes, not one") }
        let parts = uris[0].split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "pgbook:", parts[1].isEmpty,
            ClusterConfiguration.isClusterID(String(parts[2])), let node = NodeName(String(parts[3]))
        else { throw GossipFault("its certificate names '\(uris[0].prefix(120))', which is no node") }
        self.init(cluster: String(parts[2]), node: node)
    }

    private static func names(in bytes: [UInt8]) throws(GossipFault) -> [String] {
        do {
            let certificate = try Certificate(derEncoded: bytes)
            let names = try certificate.extensions.subjectAlternativeNames ?? SubjectAlternativeNames([])
            return names.compactMap { name in
                if case .uniformResourceIdentifier(let uri) = name { uri } else { nil }
            }
        } catch {
            throw GossipFault("its certificate cannot be read")
        }
    }
}
