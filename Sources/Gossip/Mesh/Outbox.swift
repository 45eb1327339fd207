import NIOCore
import Replication

/// What waits to be sent to one peer.
struct Outbox {
    /// What of the frames may be given up when a peer is slow.
    enum Role {
        /// Will be pulled if it is missed.
        case push
        /// A newer one says all that an older one said.
        case heartbeat
        case other
    }

    enum Verdict {
        case queued
        case dropped
        /// The peer is so far behind that the connection must end.
        case overflow
    }

    private struct Waiting {
        var payload: [UInt8]
        var isHeartbeat: Bool
        var cost: Int { Frame.cost(payload.count) }
    }

    private let pushBytesMax: Int
    private let bytesMax: Int
    private var messages = CircularBuffer<Waiting>()
    private var bulk = CircularBuffer<[UInt8]>()
    /// Of messages; parts of a snapshot are bounded by their own credit.
    private(set) var bytes = 0
    /// What the peer has room for.
    private(set) var credit = 0
    /// What this node has new room for, to be told to the peer.
    private var room = 0

    init(limits: MeshLimits) {
        pushBytesMax = limits.pushBytesMax
        bytesMax = limits.outboxBytesMax
    }

    mutating func append(_ payload: [UInt8], _ role: Role) -> Verdict {
        if role == .heartbeat { removeHeartbeat() }
        let cost = Frame.cost(payload.count)
        if bytes + cost > pushBytesMax, role == .push { return .dropped }
        if bytes + cost > bytesMax { return .overflow }
        messages.append(Waiting(payload: payload, isHeartbeat: role == .heartbeat))
        bytes += cost
        return .queued
    }

    /// At most one waits. While the peer keeps up it is among the last few.
    private mutating func removeHeartbeat() {
        guard let index = messages.lastIndex(where: \.isHeartbeat) else { return }
        bytes -= messages[index].cost
        messages.remove(at: index)
    }

    mutating func append(bulk payload: [UInt8]) { bulk.append(payload) }

    /// The peer has room for more.
    mutating func add(credit: Int) { self.credit += credit }

    /// This node has room for more.
    mutating func add(room: Int) { self.room += room }

    /// What can be sent now, the most urgent first.
    mutating func next() -> OutgoingFrame? {
        if room > 0 {
            defer { room = 0 }
            return OutgoingFrame(.credit, UInt64(room).bigEndianBytes)
        }
        if let first = messages.first, first.cost <= credit {
            messages.removeFirst()
            credit -= first.cost
            bytes -= first.cost
            return OutgoingFrame(.message, first.payload)
        }
        return bulk.isEmpty ? nil : OutgoingFrame(.snapshot, bulk.removeFirst())
    }
}

struct OutgoingFrame {
    var kind: Frame.Kind
    var payload: [UInt8]

    init(_ kind: Frame.Kind, _ payload: [UInt8]) {
        self.kind = kind
        self.payload = payload
    }
}

extension Message {
    var role: Outbox.Role {
        switch self {
        case .items(let items): items.reason == .pulled ? .other : .push
        case .heartbeat: .heartbeat
        case .hello, .pull, .propose, .confirm, .withdraw, .chainQuery, .chainAnswer, .late: .other
        }
    }
}

extension UInt64 {
    var bigEndianBytes: [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> UInt64($0)) }
    }
}
