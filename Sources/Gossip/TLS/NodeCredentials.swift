public import Foundation
import NIOSSL
public import Replication

/// What a node proves by who it is, and by which it knows the others: the three PEM files beside its configuration.
public struct NodeCredentials: Sendable {
    let identity: PeerIdentity
    public let validUntil: Date
    let authority: NIOSSLCertificate
    let certificate: NIOSSLCertificate
    let key: NIOSSLPrivateKey

    /// Names of the files in a node's folder.
    public static let authorityFile = "ca.pem"
    public static let certificateFile = "node.pem"
    public static let keyFile = "node.key"
    public static let configurationFile = "cluster.json"

    /// From PEM texts.
    public init(authority: String, certificate: String, key: String) throws(GossipFault) {
        do {
            self.authority = try NIOSSLCertificate(bytes: Array(authority.utf8), format: .pem)
            self.certificate = try NIOSSLCertificate(bytes: Array(certificate.utf8), format: .pem)
            self.key = try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)
        } catch {
            throw GossipFault("a certificate or key is damaged; make the node's anew with: pgbook cluster add-node")
        }
        let der: [UInt8]
        do { der = try self.certificate.toDERBytes() } catch { throw GossipFault("the node's certificate is damaged") }
        identity = try PeerIdentity(certificate: der)
        validUntil = Date(
            timeIntervalSince1970: TimeInterval(min(self.certificate.notValidAfter, self.authority.notValidAfter)))
    }

    /// From the files in a folder. A key that others may read is refused.
    public init(folder: String) throws(GossipFault) {
        let key = "\(folder)/\(Self.keyFile)"
        if let mode = try? FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int,
            mode & 0o077 != 0
        {
            throw GossipFault("others may read \(key); run: chmod 600 \(key)")
        }
        try self.init(
            authority: Self.text("\(folder)/\(Self.authorityFile)"),
            certificate: Self.text("\(folder)/\(Self.certificateFile)"), key: Self.text(key))
    }

    private static func text(_ file: String) throws(GossipFault) -> String {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw GossipFault("cannot read \(file); make it with: pgbook cluster add-node")
        }
        return String(decoding: data, as: UTF8.self)
    }

    public var node: NodeName { identity.node }
    public var cluster: String { identity.cluster }

    /// Before this many days to its end an operator is told.
    public static let warningDays = 60

    /// A line for an operator when it ends soon or has ended; nil otherwise.
    public func expiryWarning(now: Date = Date()) -> String? {
        let days = Int((validUntil.timeIntervalSince(now) / 86_400).rounded(.down))
        guard days < Self.warningDays else { return nil }
        let next = "make it anew with: pgbook cluster add-node \(node)"
        return days < 0
            ? "the certificate of \(node) is over since \(-days) days; \(next)"
            : "the certificate of \(node) ends in \(days) days; \(next)"
    }
}
