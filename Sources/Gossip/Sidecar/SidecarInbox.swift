import Replication
import Synchronization

/// What has happened outside of the database's thread and was not looked at yet.
final class SidecarInbox: Sendable {
    enum Entry: Sendable {
        case mesh(MeshEvent)
        /// A copying has ended; with an error's text where it came to nothing.
        case copied(from: NodeName, failure: String?)
        /// Everything was computed again from the log; with the first thing in the tables that does not follow from it.
        case checked(found: String?)
    }

    private struct State {
        var entries: [Entry] = []
        var wake: (@Sendable () -> Void)?
        /// At most as many as there are tasks that put.
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// Above it the mesh is not asked for more, and gives its peers no more credit.
    static let entriesMax = 2_000

    private let state = Mutex(State())

    /// Puts an entry where there is room, or waits for it.
    func put(_ entry: Entry) async {
        let isFull = state.withLock { state -> Bool in
            state.entries.append(entry)
            state.wake?()
            return state.entries.count >= Self.entriesMax
        }
        while isFull, !Task.isCancelled, state.withLock({ $0.entries.count >= Self.entriesMax }) { await waitForRoom() }
    }

    func takeAll() -> [Entry] {
        let (entries, waiters) = state.withLock { state in
            defer {
                state.entries = []
                state.waiters = []
            }
            return (state.entries, state.waiters)
        }
        for waiter in waiters { waiter.resume() }
        return entries
    }

    /// - Parameter wake: called, from any thread, when there is something; nil when nobody takes any more.
    func onEntry(_ wake: (@Sendable () -> Void)?) { state.withLock { $0.wake = wake } }

    private func waitForRoom() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    if state.entries.count < Self.entriesMax || Task.isCancelled { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if isFree { continuation.resume() }
            }
        } onCancel: {
            // The others look again whether there is room.
            let waiters = state.withLock { state in
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume() }
        }
    }
}
