import Logging
import Replication
import Store
import Synchronization

/// What outlives one connection to the database.
final class SidecarShared: Sendable {
    let configuration: SidecarConfiguration
    let mesh: Mesh
    let inbox: SidecarInbox
    let checks: TableChecks
    let logger: Logger
    let reporter: Reporter
    let clock: SidecarClock
    private let peers = Mutex<Set<NodeName>>([])

    init(
        configuration: SidecarConfiguration, mesh: Mesh, inbox: SidecarInbox, checks: TableChecks, logger: Logger
    ) {
        self.configuration = configuration
        self.mesh = mesh
        self.inbox = inbox
        self.checks = checks
        self.logger = logger
        reporter = Reporter(logger)
        clock = SidecarClock(error: configuration.clockError)
    }

    func noteConnected(_ peer: NodeName) { peers.withLock { _ = $0.insert(peer) } }
    func noteDisconnected(_ peer: NodeName) { peers.withLock { _ = $0.remove(peer) } }

    /// Ends all connections that an earlier machine knew of: a new one begins with their hellos.
    func disconnectAll(because reason: String) {
        for peer in peers.withLock({ $0 }) { mesh.disconnect(peer, because: reason) }
    }
}
