import NIOSSL

/// Mutual TLS 1.3 in which the cluster's own authority is the only one.
struct ClusterTLS: Sendable {
    let server: NIOSSLContext
    let client: NIOSSLContext

    init(_ credentials: NodeCredentials) throws(GossipFault) {
        do {
            server = try NIOSSLContext(
                configuration: Self.strict(
                    .makeServerConfiguration(
                        certificateChain: [.certificate(credentials.certificate)],
                        privateKey: .privateKey(credentials.key)),
                    credentials))
            client = try NIOSSLContext(configuration: Self.strict(.makeClientConfiguration(), credentials))
        } catch {
            throw GossipFault(
                "key and certificate of \(credentials.node) do not belong together; make them anew with: "
                    + "pgbook cluster add-node \(credentials.node)")
        }
    }

    /// Names are not looked up in DNS: whose certificate it is, is checked by its URI once the handshake is done.
    private static func strict(_ base: TLSConfiguration, _ credentials: NodeCredentials) -> TLSConfiguration {
        var configuration = base
        configuration.minimumTLSVersion = .tlsv13
        configuration.maximumTLSVersion = .tlsv13
        configuration.certificateVerification = .noHostnameVerification
        configuration.trustRoots = .certificates([credentials.authority])
        configuration.certificateChain = [.certificate(credentials.certificate)]
        configuration.privateKey = .privateKey(credentials.key)
        return configuration
    }
}
