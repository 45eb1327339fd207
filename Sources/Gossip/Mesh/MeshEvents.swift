import Replication
import Synchronization

/// The events of a mesh, in order. What is taken gives the peers room to send more.
public struct MeshEvents: AsyncSequence, Sendable {
    public typealias Element = MeshEvent
    public typealias Failure = Never

    let mesh: Mesh

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(mesh: mesh) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let mesh: Mesh

        /// Nil once the mesh has ended, or the task is cancelled.
        public mutating func next() async -> MeshEvent? {
            while !Task.isCancelled {
                if let event = mesh.take() { return event }
                if mesh.state.withLock({ $0.isOver && $0.waiting.isEmpty }) { return nil }
                await mesh.consumer.wait { mesh.state.withLock { !$0.waiting.isEmpty || $0.isOver } }
            }
            return nil
        }
    }
}

extension Mesh {
    /// Messages are read only now, so that what waits takes no more memory than its frames.
    fileprivate func take() -> MeshEvent? {
        while true {
            let (next, link) = state.withLock { state -> (MeshState.Waiting?, Link?) in
                let next = state.take()
                return (next, next.flatMap { state.peers[$0.peer]?.link })
            }
            guard let next else { return nil }
            if case .message = next { link?.wake() }
            if let event = event(next, link) { return event }
        }
    }

    private func event(_ waiting: MeshState.Waiting, _ link: Link?) -> MeshEvent? {
        switch waiting {
        case .connected(let peer, let connection): return .connected(peer, connection)
        case .disconnected(let peer): return .disconnected(peer)
        case .snapshotRequest(let peer):
            return state.withLock { $0.peers[peer]?.giving }.map {
                .snapshotRequested(SnapshotRequest(peer: peer, giving: $0, mesh: self))
            }
        case .message(let peer, let payload):
            do {
                return .received(try Message(decoding: payload), from: peer)
            } catch {
                link?.end(LinkFault(.malformed, "a message of \(peer) is refused: \(error)"))
                return nil
            }
        }
    }
}

/// The one task that takes the events, asleep while there are none.
final class Consumer: Sendable {
    private let waiter = Mutex<CheckedContinuation<Void, Never>?>(nil)

    func wake() {
        let sleeper = waiter.withLock { waiter in
            defer { waiter = nil }
            return waiter
        }
        sleeper?.resume()
    }

    /// - Parameter isReady: asked once more after this task can be woken, so that no event slips by.
    func wait(unless isReady: () -> Bool) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let earlier = waiter.withLock { waiter -> CheckedContinuation<Void, Never>? in
                    defer { waiter = continuation }
                    return waiter
                }
                earlier?.resume()
                if isReady() || Task.isCancelled { wake() }
            }
        } onCancel: {
            wake()
        }
    }
}
