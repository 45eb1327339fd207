import Foundation
import Gossip
import Replication

/// What is shown of a node's certificate.
struct ClusterNodeRow {
    var name: String
    var address: Address
    /// A date, UTC.
    var validUntil: String?
    /// What an operator should see to.
    var remark: String?
    /// Missing, damaged or over.
    var isBad = false

    var json: JSON {
        .object([
            ("node", .string(name)), ("host", .string(address.host)), ("port", .number(address.port)),
            ("valid_until", .text(validUntil)), ("remark", .text(remark)),
        ])
    }
}

extension ClusterFolder {
    func row(of node: NodeName) throws(GossipFault) -> ClusterNodeRow {
        let credentials = try credentials(of: node)
        var row = emptyRow(node)
        row.validUntil = credentials.validUntil.formatted(.iso8601.year().month().day())
        row.remark = credentials.expiryWarning()
        row.isBad = credentials.validUntil < Date()
        return row
    }

    /// With the fault as its remark, where the certificate cannot be read.
    func row(orFaultOf node: NodeName) -> ClusterNodeRow {
        do throws(GossipFault) {
            return try row(of: node)
        } catch {
            var row = emptyRow(node)
            row.remark = error.description
            row.isBad = true
            return row
        }
    }

    private func emptyRow(_ node: NodeName) -> ClusterNodeRow {
        let member = configuration.members.first { $0.name == node.rawValue }
        return ClusterNodeRow(
            name: node.rawValue, address: Address(host: member?.host ?? "", port: member?.port ?? 0))
    }
}

extension ClusterConfiguration {
    var fields: [(String, JSON)] {
        [
            ("cluster", .string(cluster)), ("window_ms", .number(windowMilliseconds)),
            ("closes_early", .bool(closesEarly)), ("confirmations", .number(confirmations)),
        ]
    }

    var json: JSON { .object(fields) }
}
