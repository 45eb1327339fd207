import ArgumentParser
import Exchange
import Foundation
import Gossip
import Logging
import OrderBook
import Postgres
import Replication
import ServiceLifecycle
import Store
import UnixSignals

struct GossipCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gossip",
        abstract: "Run this node's sidecar: it agrees with the other nodes on one order of execution.",
        discussion: """
            It stamps what enters this database, sends it to the other nodes, stores what they send, and lets the matcher
            (pgbook serve, a process of its own) execute what is settled. It may be killed and started again at any
            time; orders that enter meanwhile wait. The first start makes the database a node of the cluster. A
            database that was restored or cloned since is recognised, for the original may still run as the same node.

            Example:
              pgbook gossip --config cluster/node-1
              pgbook status
            """)

    @Option(help: "The node's folder, made by pgbook cluster add-node, or its cluster.json.")
    var config: String
    @Option(help: "How often everything is computed again from the log; 0: only where results differ from a peer's.")
    var check = TimeSpan(.seconds(600))
    @Flag(help: "The database was restored, cloned or upgraded, and the original is gone for good.")
    var moved = false
    @Option(help: ArgumentHelp("Let the wall clock be wrong by so many milliseconds.", visibility: .hidden))
    var clockError = 0
    @Option(help: "trace, debug, info, notice, warning or error.", transform: readLogLevel)
    var logLevel: Logger.Level = .info
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        try check.require("--check", .zero ... .seconds(365 * 86_400))
        guard (-86_400_000...86_400_000).contains(clockError) else {
            throw ValidationError("--clock-error \(clockError) is not within -86400000 to 86400000")
        }
    }

    func run() async throws {
        let logger = makeLogger()
        let (cluster, credentials) = try files()
        guard let replication = cluster.replication else {
            throw Failure(
                .usage, "\(config) names no node; give the folder of one, made by pgbook cluster add-node")
        }
        if let warning = credentials.expiryWarning() { logger.warning("\(warning)") }
        try join(replication, logger)
        var configuration = SidecarConfiguration(
            replication, database: connection.configuration(applicationName: "pgbook gossip"), check: firstDifference)
        configuration.clockError = Int64(clockError) * 1_000
        if check.duration > .zero { configuration.checkInterval = check.duration }
        let mesh: Mesh
        do {
            mesh = try Mesh(cluster, credentials: credentials, logger: logger) { port in
                logger.info("listening", metadata: ["port": "\(port)"])
            }
        } catch {
            throw Failure(.usage, error.description)
        }
        var group = ServiceGroupConfiguration(
            services: [
                .init(
                    service: Sidecar(configuration, mesh: mesh, logger: logger),
                    successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup)
            ], gracefulShutdownSignals: [.sigint, .sigterm], logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(15)
        logger.info("starting", metadata: ["node": "\(replication.name)", "cluster": "\(replication.clusterID)"])
        do {
            try await ServiceGroup(configuration: group).run()
        } catch let fault as GossipFault {
            throw Failure(.unavailable, fault.description)
        }
        logger.info("ended")
    }

    private func makeLogger() -> Logger {
        var logger = Logger(label: "pgbook.gossip") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel
        return logger
    }

    private func files() throws -> (ClusterConfiguration, NodeCredentials) {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: config, isDirectory: &isFolder)
        // By hand: Foundation ends the process over a name without a folder.
        let parent = config.lastIndex(of: "/").map { String(config[..<$0]) } ?? ""
        let folder = isFolder.boolValue ? config : parent.isEmpty && config.hasPrefix("/") ? "/" : parent
        let file = isFolder.boolValue ? "\(config)/\(NodeCredentials.configurationFile)" : config
        do {
            return (
                try ClusterConfiguration(file: file), try NodeCredentials(folder: folder.isEmpty ? "." : folder)
            )
        } catch {
            throw Failure(.usage, error.description)
        }
    }

    /// Makes the database a node of the cluster, or sees that it is the one.
    private func join(_ replication: ReplicationConfiguration, _ logger: Logger) throws {
        let connection = try connection.connect(for: .matching)
        try connection.requireOrder()
        if let warning = try connection.diagnosis().superuserWarning { logger.warning("\(warning)") }
        let members = replication.members.map(\.rawValue)
        if !moved, let noted = try connection.movedSince() {
            throw Failure(
                .refused,
                "this database is a copy: the node was at home in another database or server on \(noted.description); if that one "
                    + "still runs, both would speak for one node. Where it is gone for good, start with --moved")
        }
        try connection.noteHome()
        guard let state = try connection.clusterState() else {
            if let market = try connection.sharedPositions().first(where: { $0.seq.rawValue > 0 }) {
                throw Failure(
                    .refused,
                    "market \(market.market) has executed \(market.seq.rawValue) commands alone; a cluster begins with an empty database"
                )
            }
            return try connection.createCluster(
                id: replication.clusterID, node: replication.name.rawValue, members: members,
                window: replication.window)
        }
        guard state.clusterID == replication.clusterID, state.node == replication.name.rawValue,
            Set(state.members).isSubset(of: members), state.window == replication.window
        else {
            throw Failure(
                .refused,
                "this database is node \(state.node) of \(state.clusterID) (\(state.members.joined(separator: ", ")), window \(state.window) µs), and \(config) says otherwise; use the database that belongs to it"
            )
        }
        if state.members.count < members.count { try connection.addMembers(members) }
    }
}

/// The first thing that does not follow from the log, in one line.
private func firstDifference(_ connection: StoreConnection) throws -> String? {
    for market in try connection.markets() {
        if let difference = try Verification(connection).run(market).differences.first {
            return "\(market.symbol): \(difference.rule): \(difference.description)"
        }
    }
    return nil
}
