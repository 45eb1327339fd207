import Foundation
import OrderBook
import Replication

/// What a sidecar writes into its database about once a second, and `pgbook status` shows. Times are microseconds, moments
/// microseconds since the Unix epoch.
public struct SidecarStatus: Codable, Hashable, Sendable {
    public struct Peer: Codable, Hashable, Sendable {
        public var name: String
        public var isConnected: Bool
        public var isLevel: Bool
        /// By how much its clock is ahead; nil where it was not measured.
        public var clockOffset: Int64?
        public var silentFor: Int64?
        /// Of its commands, known of and not stored here; of this node's, not stored there.
        public var missing: Int64
        public var lag: Int64
        public var watermark: Int64
        public var agreed: Int64
        public var lateHere: Int
        public var lateThere: Int
    }

    public var isLevel: Bool
    public var isRebuilding: Bool
    public var admits: Bool
    public var because: String?
    public var watermark: Int64
    public var closedThrough: Int64
    /// Of all commands executed up to there: the first 16 hexadecimal digits.
    public var chain: String?
    public var agreed: Int64
    public var lastNumber: Int64
    /// Accepted and not closed; without a stamp.
    public var waiting: Int
    public var entered: Int
    public var unconfirmed: Int
    public var late: Int
    public var peers: [Peer]
    /// How often what was reported since the start of the process.
    public var reports: [String: Int]
    /// Of the connections: what was refused, by reason.
    public var refusals: [String: Int]
    public var bytesReceived: Int
    public var bytesSent: Int
}

extension SidecarStatus {
    init(_ status: ReplicatorStatus, _ shared: SidecarShared) {
        let metrics = shared.mesh.metrics
        isLevel = status.isLevel
        isRebuilding = status.isRebuilding
        admits = status.admits
        because = status.because
        watermark = status.watermark.rawValue
        closedThrough = status.closed.through.rawValue
        chain = status.closed.digest.map { Self.head(of: $0) }
        agreed = status.agreed.rawValue
        lastNumber = status.lastNumber
        waiting = status.waiting
        entered = status.entered
        unconfirmed = status.unconfirmed
        late = status.late
        peers = status.peers.map(Peer.init)
        reports = Dictionary(uniqueKeysWithValues: shared.reporter.counts.map { ($0.key.rawValue, $0.value) })
        refusals = Dictionary(uniqueKeysWithValues: metrics.refusals.map { ($0.key.rawValue, $0.value) })
        bytesReceived = metrics.peers.reduce(0) { $0 + $1.bytesIn }
        bytesSent = metrics.peers.reduce(0) { $0 + $1.bytesOut }
    }

    private static func head(of digest: Digest) -> String {
        let digits = String(digest.words.0, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    public init(json: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(json.utf8)) }
}

extension SidecarStatus.Peer {
    fileprivate init(_ peer: ReplicatorStatus.Peer) {
        name = peer.name.rawValue
        isConnected = peer.isConnected
        isLevel = peer.isLevel
        clockOffset = peer.clockOffset
        silentFor = peer.silentFor
        missing = peer.missing
        lag = peer.lag
        watermark = peer.watermark.rawValue
        agreed = peer.agreed.rawValue
        lateHere = peer.lateHere
        lateThere = peer.lateThere
    }
}
