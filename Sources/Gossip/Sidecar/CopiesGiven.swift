import Replication
import Synchronization

/// Whom a copy of the state is being given to: one at a time to each, and not again at once, for it costs both much.
final class CopiesGiven: Sendable {
    private struct State {
        var peers: Set<NodeName> = []
        var endedAt: [NodeName: ContinuousClock.Instant] = [:]
    }

    private static let pause: Duration = .seconds(5)
    private let state = Mutex(State())

    /// - Returns: false where it must not be given now.
    func begin(_ peer: NodeName) -> Bool {
        state.withLock { state in
            if let ended = state.endedAt[peer], .now - ended < Self.pause { return false }
            return state.peers.insert(peer).inserted
        }
    }

    func end(_ peer: NodeName) {
        state.withLock { state in
            state.peers.remove(peer)
            state.endedAt[peer] = .now
        }
    }
}
