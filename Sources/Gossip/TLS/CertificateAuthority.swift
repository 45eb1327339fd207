import Crypto
public import Foundation
public import Replication
import SwiftASN1
import X509

/// Signs the certificates of one cluster's nodes. Whoever holds its key can make members; it stays off the nodes.
public struct CertificateAuthority {
    public let cluster: String
    private let certificate: Certificate
    private let key: Certificate.PrivateKey

    /// How long certificates are valid: longer than machines live, for nothing renews them by itself.
    static let yearsOfAuthority = 20
    static let yearsOfNode = 10
    /// A node whose clock is behind must not refuse a new certificate.
    private static let dayBefore: TimeInterval = -86_400

    /// Makes a new one, with a P-256 key.
    public init(cluster: String, now: Date = Date()) throws {
        guard ClusterConfiguration.isClusterID(cluster) else {
            throw GossipFault("cluster '\(cluster.prefix(80))' is no id; it has 1 to 64 of a-z, 0-9 and -")
        }
        self.cluster = cluster
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        self.key = key
        let name = try DistinguishedName {
            OrganizationName(cluster)
            CommonName("\(cluster) authority")
        }
        certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: key.publicKey,
            notValidBefore: now.addingTimeInterval(Self.dayBefore),
            notValidAfter: now.adding(years: Self.yearsOfAuthority),
            issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true))
                SubjectKeyIdentifier(hash: key.publicKey)
            },
            issuerPrivateKey: key)
    }

    /// One that was made before.
    /// - Parameters: certificate and key as PEM text.
    public init(cluster: String, certificate: String, key: String) throws {
        self.cluster = cluster
        self.certificate = try Certificate(pemEncoded: certificate)
        self.key = try Certificate.PrivateKey(pemEncoded: key)
        guard self.key.publicKey == self.certificate.publicKey else {
            throw GossipFault("the authority's key and certificate do not belong together")
        }
    }

    public var certificatePEM: String {
        get throws { try certificate.serializeAsPEM().pemString }
    }

    public var keyPEM: String {
        get throws { try key.serializeAsPEM().pemString }
    }

    /// Makes a key and a certificate for a node: the name by which the others know it.
    public func issue(
        to node: NodeName, now: Date = Date(), until: Date? = nil
    ) throws -> (certificate: String, key: String) {
        let nodeKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let identity = PeerIdentity(cluster: cluster, node: node)
        let issued = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: nodeKey.publicKey,
            notValidBefore: now.addingTimeInterval(Self.dayBefore),
            notValidAfter: until ?? now.adding(years: Self.yearsOfNode),
            issuer: certificate.subject,
            subject: try DistinguishedName {
                OrganizationName(cluster)
                CommonName("\(node).pgbook")
            },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth, .clientAuth])
                SubjectAlternativeNames([.uniformResourceIdentifier(identity.uri), .dnsName("\(node).pgbook")])
                AuthorityKeyIdentifier(
                    keyIdentifier: try certificate.extensions.subjectKeyIdentifier?.keyIdentifier)
            },
            issuerPrivateKey: key)
        return (try issued.serializeAsPEM().pemString, try nodeKey.serializeAsPEM().pemString)
    }
}

extension Date {
    fileprivate func adding(years: Int) -> Date { addingTimeInterval(Double(years) * 365.25 * 86_400) }
}
