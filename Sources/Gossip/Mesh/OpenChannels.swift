import NIOCore
import Synchronization

/// All channels of a mesh, so that they can be closed, and how many of them have not shown who they are.
final class OpenChannels: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var strangers: Set<ObjectIdentifier> = []
        var isClosed = false
    }

    private let state = Mutex(State())

    var strangers: Int { state.withLock { $0.strangers.count } }

    /// - Parameter strangersMax: given for an accepted connection.
    /// - Returns: whether there is room for it.
    func add(_ channel: any Channel, strangersMax: Int? = nil) -> Bool {
        let id = ObjectIdentifier(channel)
        let isAdded = state.withLock { state in
            if state.isClosed { return false }
            if let strangersMax {
                guard state.strangers.count < strangersMax else { return false }
                state.strangers.insert(id)
            }
            state.channels[id] = channel
            return true
        }
        if isAdded { channel.closeFuture.whenComplete { _ in self.remove(id) } }
        return isAdded
    }

    func isKnown(_ channel: any Channel) {
        _ = state.withLock { $0.strangers.remove(ObjectIdentifier(channel)) }
    }

    private func remove(_ id: ObjectIdentifier) {
        state.withLock { state in
            state.channels[id] = nil
            state.strangers.remove(id)
        }
    }

    /// Those that are open; none is added any more.
    func close() {
        let channels = state.withLock { state in
            state.isClosed = true
            return state.channels
        }
        for channel in channels.values { channel.close(promise: nil) }
    }
}
