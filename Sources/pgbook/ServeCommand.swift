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
            Logs go to standard error.

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
        help:
            "A file of tokens, one a line: the token, a space, the user it speaks for. Then commands over HTTP need one."
    )
    var tokens: String?
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
        if roles.contains(.matcher) {
            services.append(matcher(entrance, logger))
            services.append(
                CandleService(
                    closing: CandleClosing(logger: logger),
                    database: connection.configuration(applicationName: "pgbook candles")))
        }
        let isListening = OnceTrue()
        if roles.contains(.gateway) { services.append(try gateway(entrance, logger, isListening)) }
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
        let connection = try connection.connect()
        let diagnosis = try connection.diagnosis()
        guard diagnosis.memberships.contains("pgbook_node") else {
            throw Failure(
                .unavailable,
                "role \(diagnosis.role) is not a node: as superuser run GRANT pgbook_node TO \"\(diagnosis.role)\"")
        }
        if let warning = diagnosis.superuserWarning { logger.warning("\(warning)") }
        return try connection.clusterState()
    }

    private func matcher(_ entrance: DirectEntrance?, _ logger: Logger) -> MatcherService {
        MatcherService(
            matcher: Matcher(Matcher.Configuration(window: window.duration), entrance: entrance, logger: logger),
            database: connection.configuration(applicationName: "pgbook matcher"))
    }

    private func gateway(
        _ entrance: DirectEntrance?, _ logger: Logger, _ isListening: OnceTrue
    ) throws -> GatewayService {
        var marketData = MarketDataLimits()
        marketData.bookInterval = interval.duration
        let configuration = GatewayConfiguration(
            host: host, port: port, allowsInsecure: allowInsecure, tokens: try tokens.map(readTokens) ?? [:],
            marketData: marketData)
        do {
            return try GatewayService(
                configuration, database: connection.configuration(applicationName: "pgbook gateway"),
                entrance: entrance, logger: logger
            ) { port in
                isListening.set()
                logger.info("listening", metadata: ["host": "\(host)", "port": "\(port)"])
            }
        } catch {
            throw Failure(.usage, error.description)
        }
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
