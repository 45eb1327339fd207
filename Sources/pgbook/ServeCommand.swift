import ArgumentParser
import Exchange
import Gateway
import History
import Logging
import MarketData
import Postgres
import ServiceLifecycle
import Store
import Synchronization
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the gateway (HTTP and WebSocket) and the matcher.",
        discussion: """
            SIGTERM and Ctrl-C end it gracefully: what was taken in is stored, the running batch is finished.
            Logs go to standard error; no password and no token stands in them.
            Browsers are let in from the server's own pages and from --allow-origin; what they ask for must name this
            server as localhost, an address of it, --host or a --public-name.

            Example:
              pgbook serve --port 8080
              pgbook serve --roles matcher --window 3s
            """)

    @Option(help: "What to run: gateway, matcher, or both.", transform: Role.list)
    var roles: Set<Role> = [.gateway, .matcher]
    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"
    @Option(help: "The port to listen on.")
    var port = 8080
    @Option(help: "How long a command waits before it is executed, such as 3s; 0 for a node alone.")
    var window = TimeSpan(.zero)
    @Option(help: "At most one aggregated book per market in this time.")
    var interval = TimeSpan(.milliseconds(100))
    @Option(
        help: ArgumentHelp(
            "A file of tokens, one a line: the token, a space, the user it speaks for. Then every command needs one.",
            discussion: "It is read again when it changes; sockets of a token that is gone are closed.",
            valueName: "file"))
    var tokens: String?
    @Option(
        help: ArgumentHelp(
            "A name or address under which this server is reached, beside --host and this machine's own (repeatable).",
            valueName: "name"))
    var publicName: [String] = []
    @Option(
        help: ArgumentHelp(
            "Another origin whose pages may read and trade, such as https://example.com (repeatable).",
            valueName: "origin"))
    var allowOrigin: [String] = []
    @Option(help: "WebSockets at once.")
    var sockets = GatewayLimits().socketsMax
    @Option(help: "WebSockets of one address at once; behind a proxy all clients have one.")
    var socketsPerAddress = GatewayLimits().socketsPerAddressMax
    @Flag(help: "Listen on an address that others reach, though there is no TLS.")
    var allowInsecure = false
    @Option(help: "trace, debug, info, notice, warning or error.", transform: readLogLevel)
    var logLevel: Logger.Level = .info
    @OptionGroup var connection: ConnectionOptions

    enum Role: String, CaseIterable {
        case gateway, matcher

        static func list(_ text: String) throws -> Set<Role> {
            try Set(
                text.split(separator: ",").map { word in
                    guard let role = Role(rawValue: String(word)) else {
                        throw ValidationError("role '\(word)' is unknown; give gateway, matcher or gateway,matcher")
                    }
                    return role
                })
        }
    }

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port \(port) is outside 0 to 65535") }
        guard (1...100_000).contains(sockets) else {
            throw ValidationError("--sockets \(sockets) is outside 1 to 100000")
        }
        guard (1...100_000).contains(socketsPerAddress) else {
            throw ValidationError("--sockets-per-address \(socketsPerAddress) is outside 1 to 100000")
        }
        try window.require("--window", .zero ... .seconds(3600))
        try interval.require("--interval", .zero ... .seconds(3600))
        guard !roles.isEmpty else { throw ValidationError("--roles names nothing; give gateway, matcher or both") }
    }

    func run() async throws {
        var logger = Logger(label: "pgbook") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel
        let cluster = try requireNode(logger)
        if let cluster {
            guard window.duration == .zero else {
                throw Failure(
                    .usage, "the window of the cluster \(cluster.clusterID) is its own; leave --window out")
            }
            logger.info(
                "a node of a cluster", metadata: ["cluster": "\(cluster.clusterID)", "node": "\(cluster.node)"])
        }
        var services: [any Service] = []
        // With both roles and no window, commands are executed by the transaction that logs them; not in a cluster, where
        // they wait for the other nodes.
        let isAlone = window.duration == .zero && cluster == nil
        let entrance = roles == [.gateway, .matcher] && isAlone ? DirectEntrance() : nil
        let health = ExecutorHealth()
        if roles.contains(.matcher) {
            services.append(matcher(entrance, health, logger))
            services.append(
                CandleService(
                    closing: CandleClosing(logger: logger),
                    database: connection.configuration(applicationName: "pgbook candles")))
        }
        let isListening = OnceTrue()
        if roles.contains(.gateway) { services.append(try gateway(entrance, health, logger, isListening)) }
        var configuration = ServiceGroupConfiguration(
            services: services.map {
                .init(
                    service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: [.sigint, .sigterm], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(15)
        logger.info("starting", metadata: ["roles": "\(roles.map(\.rawValue).sorted().joined(separator: ","))"])
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let fault as GatewayFault {
            throw Failure(.usage, fault.description)
        } catch  where roles.contains(.gateway) && !isListening.value {
            throw Failure(
                .unavailable,
                "cannot listen on \(host) port \(port): \(reason(error)); choose others with --host and --port")
        }
        logger.info("ended")
    }

    /// The schema fits, and the role may match. Asked once: afterwards a database that goes away is waited for.
    /// - Returns: the cluster that the database belongs to, if it does.
    private func requireNode(_ logger: Logger) throws -> ClusterState? {
        let connection = try connection.connect(for: .matching)
        try connection.requireOrder()
        let diagnosis = try connection.diagnosis()
        guard diagnosis.memberships.contains("pgbook_node") else {
            throw Failure(
                .unavailable,
                "role \(diagnosis.role) is not a node: as superuser run GRANT pgbook_node TO \"\(diagnosis.role)\"")
        }
        if let warning = diagnosis.superuserWarning { logger.warning("\(warning)") }
        return try connection.clusterState()
    }

    private func matcher(
        _ entrance: DirectEntrance?, _ health: ExecutorHealth, _ logger: Logger
    ) -> MatcherService {
        MatcherService(
            matcher: Matcher(
                Matcher.Configuration(window: window.duration), entrance: entrance, health: health, logger: logger),
            database: connection.configuration(applicationName: "pgbook matcher"))
    }

    private func gateway(
        _ entrance: DirectEntrance?, _ health: ExecutorHealth, _ logger: Logger, _ isListening: OnceTrue
    ) throws -> GatewayService {
        var marketData = MarketDataLimits()
        marketData.bookInterval = interval.duration
        let configuration = GatewayConfiguration(
            host: host, port: port, allowsInsecure: allowInsecure, tokenFile: tokens, publicNames: publicName,
            allowedOrigins: allowOrigin, limits: try limits(logger), marketData: marketData)
        do {
            return try GatewayService(
                configuration, database: connection.configuration(applicationName: "pgbook gateway"),
                entrance: entrance, executor: roles.contains(.matcher) ? health : nil, logger: logger
            ) { port in
                isListening.set()
                logger.info("listening", metadata: ["host": "\(host)", "port": "\(port)"])
            }
        } catch {
            throw Failure(.usage, error.description)
        }
    }
}

extension ServeCommand {
    /// As many connections as are asked for, and as the process may have files.
    private func limits(_ logger: Logger) throws -> GatewayLimits {
        var limits = GatewayLimits()
        limits.socketsMax = sockets
        limits.socketsPerAddressMax = socketsPerAddress
        limits.connectionsMax = max(limits.connectionsMax, 2 * sockets)
        limits.connectionsPerAddressMax = max(limits.connectionsPerAddressMax, 2 * socketsPerAddress)
        let room = OpenFiles.raiseLimit() - OpenFiles.own
        guard room < limits.connectionsMax else { return limits }
        guard room >= sockets else {
            throw Failure(
                .usage,
                "the process may open \(room + OpenFiles.own) files and \(sockets) sockets need more: raise the limit (ulimit -n \(2 * sockets + OpenFiles.own)), or give fewer --sockets"
            )
        }
        limits.connectionsMax = room
        return limits
    }
}

func readLogLevel(_ word: String) throws -> Logger.Level {
    guard let level = Logger.Level(rawValue: word.lowercased()) else {
        throw ValidationError("log level '\(word)' is unknown; use trace, debug, info, notice, warning or error")
    }
    return level
}

/// What the network said, without the names of its functions: `Address already in use`.
private func reason(_ error: any Error) -> String {
    let text = "\(error)"
    return text.firstMatch(of: /: ([A-Z][^():]*)\)? \((?:errno|error)/).map { String($0.1) } ?? text
}

/// Whether something has happened yet.
private final class OnceTrue: Sendable {
    private let flag = Atomic<Bool>(false)
    var value: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }
}
