/// Why a connection is refused or ended: a counter's label, and a line for a person.
struct LinkFault: Error, Hashable, Sendable, CustomStringConvertible {
    var reason: MeshRefusal
    var description: String

    init(_ reason: MeshRefusal, _ description: String) {
        self.reason = reason
        self.description = description
    }
}

/// Reasons for ending a connection to or from a node, as they are counted.
public enum MeshRefusal: String, Hashable, Sendable, CaseIterable {
    // What a stranger does.
    case handshake, handshakeTimeout, tooManyConnections, notAMember, wrongNode
    // What a member must not do.
    case malformed, wrongCluster, replayed, oversized, truncated, overCredit
    // What happens.
    case idle, overflow, replaced
    /// The sidecar's own decision.
    case disconnected
}
