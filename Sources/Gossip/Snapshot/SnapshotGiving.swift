import Replication
import Synchronization

/// This node's side of a copying that a peer asked for.
final class SnapshotGiving: Sendable {
    private struct State {
        var credit: Int
        var isOver = false
        /// Who waits for credit.
        var waiter: CheckedContinuation<Void, Never>?
    }

    let copy: Int64
    private let creditMax: Int
    private let state: Mutex<State>

    /// - Parameter credit: what the peer says it has room for; it is believed up to this node's own bound.
    init(copy: Int64, credit: Int64, limits: MeshLimits) {
        self.copy = copy
        creditMax = limits.snapshotBytesMax
        state = Mutex(State(credit: Int(min(credit, Int64(limits.snapshotBytesMax)))))
    }

    func add(credit: Int64) {
        wake { $0.credit = Int(min(Int64($0.credit) + min(credit, .max / 2), Int64(self.creditMax))) }
    }

    func cancel() { wake { $0.isOver = true } }

    private func wake(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Waits until the peer has room.
    /// - Returns: false where it wants no more, or is gone.
    func reserve(_ bytes: Int) async -> Bool {
        while true {
            let answer = state.withLock { state -> Bool? in
                if state.isOver || Task.isCancelled { return false }
                guard state.credit >= bytes else { return nil }
                state.credit -= bytes
                return true
            }
            if let answer { return answer }
            await waitForChange(needing: bytes)
        }
    }

    private func waitForChange(needing bytes: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isChanged = state.withLock { state in
                    if state.isOver || state.credit >= bytes || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isChanged { continuation.resume() }
            }
        } onCancel: {
            wake { _ in }
        }
    }
}
