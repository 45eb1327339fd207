public import Logging
import OrderBook
import Replication
public import ServiceLifecycle
import Store

/// A node's sidecar: it stamps what enters the database, tells the peers, stores what they tell, and lets the matcher
/// execute what is settled. All decisions are `Replicator`'s; it may be killed at any moment.
public struct Sidecar: Service, CustomStringConvertible {
    let configuration: SidecarConfiguration
    private let mesh: Mesh
    let checks: TableChecks
    let copying = CopiesGiven()
    let logger: Logger

    public init(_ configuration: SidecarConfiguration, mesh: Mesh, logger: Logger) {
        self.configuration = configuration
        self.mesh = mesh
        checks = TableChecks(configuration)
        self.logger = logger
    }

    /// Logs show it; the rest may hold a password.
    public var description: String { "sidecar of \(configuration.replication.name)" }

    /// Runs until it is shut down or its task is cancelled. The database and the peers may go away and come back.
    /// - Throws: where it cannot listen.
    public func run() async throws {
        let inbox = SidecarInbox()
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await mesh.run() }
                group.addTask { await take(into: inbox) }
                group.addTask { await decide(inbox) }
                group.addTask { await check(inbox) }
                // Whichever ends first ends all.
                try await group.next()
                group.cancelAll()
            }
        }
    }

    /// Takes what the mesh has, as long as there is room for it.
    private func take(into inbox: SidecarInbox) async {
        for await event in mesh.events {
            if case .snapshotRequested(let request) = event {
                give(request, inbox)
            } else {
                await inbox.put(.mesh(event))
            }
        }
    }

    /// A table that was changed by hand is found though all nodes agree on the commands.
    private func check(_ inbox: SidecarInbox) async {
        let logger = logger
        await checks.run { found in
            await inbox.put(.checked(found: found))
        } failed: { error in
            logger.warning("the tables could not be checked", metadata: ["error": "\(error)"])
        }
    }

    private func decide(_ inbox: SidecarInbox) async {
        let shared = SidecarShared(
            configuration: configuration, mesh: mesh, inbox: inbox, checks: checks, logger: logger)
        await configuration.database.keepRunning { error, wait in
            logger.warning(
                "the database cannot be used; nothing is stamped or stored meanwhile",
                metadata: ["error": "\(error)", "retry_in": "\(wait)"])
        } _: { connection in
            var loop = try SidecarLoop(connection, shared)
            try loop.run()
        }
    }
}
