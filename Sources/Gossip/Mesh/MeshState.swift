import NIOCore
import Replication

/// All that a mesh knows, as one value: which connection each peer has, what waits to be sent to it, and what came from it
/// and waits for the consumer. It does no IO.
struct MeshState {
    struct Peer {
        /// The one connection, from when its certificate was found good.
        var link: Link?
        /// Both sides have opened it: the consumer knows of it.
        var isOpen = false
        /// The consumer has begun with it: what it sent before was meant for an earlier one.
        var isBegun = false
        var heardAt: NIODeadline
        var outbox: Outbox
        var account: CreditAccount
        var metrics: MeshMetrics.Peer
        var giving: SnapshotGiving?
        var taking: SnapshotTaking?
        /// A request for a snapshot waits for the consumer.
        var isAsking = false
    }

    enum Waiting {
        case connected(NodeName, ConnectionID)
        case disconnected(NodeName)
        case message(NodeName, [UInt8])
        case snapshotRequest(NodeName)

        var peer: NodeName {
            switch self {
            case .connected(let peer, _), .disconnected(let peer), .message(let peer, _), .snapshotRequest(let peer):
                peer
            }
        }
    }

    let limits: MeshLimits
    private let empty: Outbox
    var peers: [NodeName: Peer] = [:]
    private(set) var waiting = CircularBuffer<Waiting>()
    private(set) var isOver = false
    private var linksMade: UInt64 = 0

    init(peers names: [NodeName], limits: MeshLimits, now: NIODeadline) {
        self.limits = limits
        empty = Outbox(limits: limits)
        for name in names {
            peers[name] = Peer(
                heardAt: now, outbox: empty, account: CreditAccount(limits: limits), metrics: MeshMetrics.Peer(name))
        }
    }

    mutating func nextLinkID() -> UInt64 {
        linksMade += 1
        return linksMade
    }
}

// MARK: Connections

extension MeshState {
    enum Claim {
        /// - Parameter credit: what the peer may send at first.
        case granted(credit: Int, replaced: Link?)
        case refused(LinkFault)
    }

    /// A connection to a peer has proved who is at its other end. There can be two, when both have dialled: both sides
    /// keep the one that the earlier name dialled, unless it seems dead.
    mutating func claim(_ name: NodeName, _ link: Link, now: NIODeadline) -> Claim {
        guard !isOver, var peer = peers[name] else { return .refused(LinkFault(.notAMember, "\(name) is no member")) }
        if let old = peer.link, old.isDialledByEarlier, !link.isDialledByEarlier,
            now - peer.heardAt < .milliseconds(limits.staleAfter)
        {
            return .refused(LinkFault(.replaced, "there is a connection to \(name) already"))
        }
        let replaced = peer.link
        if let replaced { end(name, replaced.id) }
        peer = peers[name] ?? peer
        peer.link = link
        peer.heardAt = now
        let credit = peer.account.open()
        peers[name] = peer
        return .granted(credit: credit, replaced: replaced)
    }

    /// The peer has opened the connection too.
    mutating func open(_ name: NodeName, _ id: UInt64, credit: Int) -> Bool {
        guard peers[name]?.link?.id == id, peers[name]?.isOpen == false else { return false }
        peers[name]?.isOpen = true
        peers[name]?.outbox.add(credit: credit)
        peers[name]?.metrics.connections += 1
        waiting.append(.connected(name, ConnectionID(link: id)))
        return true
    }

    /// A connection is at its end; nothing where it is not the current one.
    mutating func end(_ name: NodeName, _ id: UInt64) {
        guard var peer = peers[name], peer.link?.id == id else { return }
        let wasOpen = peer.isOpen
        peer.link = nil
        peer.isOpen = false
        peer.isBegun = false
        peer.outbox = empty
        peer.account.close()
        peer.giving?.cancel()
        peer.giving = nil
        peer.taking?.fail(GossipFault("the connection to \(name) is lost"))
        peer.taking = nil
        peers[name] = peer
        if wasOpen { appendDisconnected(name) }
    }

    /// What the consumer has not seen begin need not be seen to end. So while it stands still, connections may come and go
    /// without filling the queue.
    private mutating func appendDisconnected(_ name: NodeName) {
        if let last = waiting.lastIndex(where: { $0.peer == name }), case .connected = waiting[last] {
            waiting.remove(at: last)
        } else {
            waiting.append(.disconnected(name))
        }
    }

    /// No more events come, and no connection is granted.
    mutating func finish() -> [Link] {
        isOver = true
        return peers.values.compactMap(\.link)
    }
}

// MARK: Receiving

extension MeshState {
    /// - Returns: whether the consumer has something new to look at.
    mutating func receive(
        _ frame: Frame.Kind, _ payload: [UInt8], from name: NodeName, _ id: UInt64, now: NIODeadline
    ) throws(LinkFault) -> Bool {
        guard peers[name]?.link?.id == id else { return false }
        peers[name]?.heardAt = now
        peers[name]?.metrics.framesIn += 1
        peers[name]?.metrics.bytesIn += Frame.cost(payload.count)
        if frame != .message { return false }
        guard peers[name]?.account.receive(Frame.cost(payload.count)) == true else {
            throw LinkFault(.overCredit, "\(name) sends more than it was given credit for")
        }
        waiting.append(.message(name, payload))
        return true
    }

    /// The consumer takes the next.
    mutating func take() -> Waiting? {
        guard let next = waiting.popFirst() else { return nil }
        if case .message(let name, let payload) = next, var peer = peers[name] {
            if let credit = peer.account.take(Frame.cost(payload.count), isOpen: peer.isOpen) {
                peer.outbox.add(room: credit)
            }
            peers[name] = peer
        }
        if case .snapshotRequest(let name) = next { peers[name]?.isAsking = false }
        return next
    }

    mutating func appendRequest(of name: NodeName) {
        guard peers[name]?.isAsking == false else { return }
        peers[name]?.isAsking = true
        waiting.append(.snapshotRequest(name))
    }
}

// MARK: Sending

extension MeshState {
    /// What the consumer sends from now on is meant for this connection; nothing happens where it has ended.
    mutating func begin(_ connection: ConnectionID, with name: NodeName) {
        guard let peer = peers[name], peer.link?.id == connection.link, peer.isOpen else { return }
        peers[name]?.isBegun = true
    }

    /// - Returns: nil where there is no connection that the consumer has begun with.
    mutating func send(_ payload: [UInt8], _ role: Outbox.Role, to name: NodeName) -> Outbox.Verdict? {
        guard peers[name]?.isBegun == true, let verdict = peers[name]?.outbox.append(payload, role) else { return nil }
        if case .dropped = verdict { peers[name]?.metrics.pushesDropped += 1 }
        return verdict
    }

    /// What this connection can send now, until it is this much or more.
    mutating func nextFrames(to name: NodeName, _ id: UInt64, bytesMax: Int) -> [OutgoingFrame] {
        guard peers[name]?.link?.id == id, peers[name]?.isOpen == true else { return [] }
        var frames: [OutgoingFrame] = []
        var bytes = 0
        while bytes < bytesMax, let frame = peers[name]?.outbox.next() {
            frames.append(frame)
            bytes += Frame.cost(frame.payload.count)
        }
        peers[name]?.metrics.framesOut += frames.count
        peers[name]?.metrics.bytesOut += bytes
        return frames
    }

    func metrics() -> MeshMetrics {
        var metrics = MeshMetrics()
        metrics.peers = peers.values.map { peer in
            var row = peer.metrics
            row.isConnected = peer.isOpen
            row.outboxBytes = peer.outbox.bytes
            row.inboxBytes = peer.account.held
            row.credit = peer.outbox.credit
            return row
        }.sorted { $0.name < $1.name }
        return metrics
    }
}
