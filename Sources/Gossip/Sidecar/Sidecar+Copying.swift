import Logging
import Replication
import Store

extension Sidecar {
    /// Gives a peer a copy of this node's state, if its tables follow from its log; the node goes on meanwhile.
    func give(_ request: SnapshotRequest, _ inbox: SidecarInbox) {
        let database = configuration.database
        guard copying.begin(request.peer) else {
            return request.refuse(because: "a copy that it asked for before is being given")
        }
        Task {
            defer { copying.end(request.peer) }
            do {
                request.begin([])
                if let found = try await checks.foundLately() {
                    request.refuse(because: "its tables are damaged")
                    return await inbox.put(.checked(found: found))
                }
                logger.notice("giving a copy of the state", metadata: ["peer": "\(request.peer)"])
                try await database.giveState { try await request.send($0) }
                request.end()
            } catch {
                request.refuse(because: "\(error)")
                logger.warning(
                    "a copy of the state was not given to its end",
                    metadata: ["peer": "\(request.peer)", "error": "\(error)"])
            }
        }
    }
}

extension SidecarShared {
    /// Replaces this node's state by a peer's; all or nothing.
    func takeState(of peer: NodeName) async throws {
        let copy = try await mesh.snapshot(from: peer)
        let changed = try await configuration.database.takeState(from: peer.rawValue, copy)
        checks.noteCopy()
        logger.notice("rebuilt", metadata: ["peer": "\(peer)", "outcomes_changed": "\(changed)"])
    }
}
