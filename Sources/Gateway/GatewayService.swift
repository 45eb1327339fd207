import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
import MarketData
import NIOCore
import NIOPosix
import OrderBook
public import ServiceLifecycle
public import Store
import Wire

/// Takes orders and shows books, trades and orders over WebSocket and HTTP on one port.
///
///     let gateway = try GatewayService(GatewayConfiguration(), database: configuration, logger: logger)
///     try await gateway.run()
///
/// It keeps nothing that the database does not hold, and needs no matcher in its process. On graceful shutdown every
/// socket is told (1001), and what was taken in is entered first.
public struct GatewayService: Service, CustomStringConvertible {
    private let configuration: GatewayConfiguration
    private let tokens: Tokens?
    private let database: StoreConfiguration
    private let entrance: any CommandEntrance
    private let executor: ExecutorHealth?
    private let logger: Logger
    private let onListening: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - database: must log in with the node's role.
    ///   - entrance: where commands go in; by default they are logged, and wait for a matcher.
    ///   - executor: how the matcher behind that entrance fares; by default the gateway asks the database for any matcher.
    ///   - onListening: told the port when clients can connect.
    /// - Throws: `GatewayFault` for a configuration that contradicts itself or is unsafe.
    public init(
        _ configuration: GatewayConfiguration, database: StoreConfiguration, entrance: (any CommandEntrance)? = nil,
        executor: ExecutorHealth? = nil, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) throws(GatewayFault) {
        if let fault = configuration.fault { throw GatewayFault(description: fault) }
        tokens =
            try configuration.tokenFile.map { path throws(GatewayFault) in try TokenFile(path: path).read() }
            ?? configuration.tokens
        self.configuration = configuration
        self.database = database
        self.entrance = entrance ?? LoggedEntrance(database)
        self.executor = executor
        self.logger = logger
        self.onListening = onListening
    }

    /// Logs show it; the rest is long, and holds what nobody else should read.
    public var description: String { "gateway on \(configuration.host) port \(configuration.port)" }

    public func run() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let limits = configuration.limits
        let metrics = GatewayMetrics()
        let hub = try await Hub.make(on: group, limits: limits)
        let turns = try await PerLoop(on: group) { _, loop in LoopTurns(on: loop, limits: limits) }
        let directory = MarketDirectory()
        let tracker = OrderTracker(
            reader: MarketDataReader(database), directory: directory, hub: hub, limits: limits, metrics: metrics,
            logger: logger)
        let desk = CommandDesk(
            entrance: entrance, limits: limits, metrics: metrics, logger: logger, onMoved: { tracker.executed($0) },
            onAnswered: { hub.deliver() })
        let publisher = MarketPublisher(
            directory: directory, hub: hub, tracker: tracker, metrics: metrics, limits: limits)
        let feed = MarketDataFeed(
            reader: MarketDataReader(database), sink: publisher, limits: configuration.marketData, logger: logger)
        let access = Access(tokens, limits: limits)
        let services = SocketServices(
            desk: desk, tracker: tracker, hub: hub, access: access, metrics: metrics, logger: logger)
        let readiness = Readiness(feed: feed, executor: executor)
        let routes = GatewayRoutes(
            directory: directory, readiness: readiness,
            orders: OrderRoutes(
                directory: directory, desk: desk, reader: MarketDataReader(database), access: access,
                limits: limits.wire),
            candles: CandleRoutes(
                reader: CandleReader(database, millisecondsMax: Int32(limits.candleMillisecondsMax))),
            hub: hub, metrics: metrics, limits: limits, marketData: configuration.marketData, doors: doors)

        async let _ = feed.run()
        async let _ = readiness.announce(to: hub, every: .milliseconds(limits.readinessTickMilliseconds))
        async let _ = listen(feed, tracker)
        async let _ = followTokens(access, hub)
        async let tracked: Void = tracker.run()
        async let entered: Void = desk.run()
        try await server(routes, hub: hub, services: services, turns: turns, on: group).run()

        // Every socket is closed. What they asked for last is entered before the end.
        tracker.close()
        await tracked
        desk.close()
        await entered
        // The feed has nobody left to tell: leaving the scope cancels it.
    }

    private var doors: Doors {
        Doors(
            host: configuration.host, publicNames: configuration.publicNames,
            allowedOrigins: configuration.allowedOrigins)
    }

    /// Whoever loses its token loses its sockets.
    private func followTokens(_ access: Access, _ hub: Hub) async {
        guard let tokens else { return }
        if tokens.shortCount > 0 {
            logger.warning(
                "tokens can be guessed",
                metadata: [
                    "tokens": "\(tokens.shortCount)", "shorter_than": "\(Tokens.lengthMin) letters",
                ])
        }
        guard let path = configuration.tokenFile else { return }
        await TokenFile(path: path).follow(from: tokens, logger: logger) { tokens in
            access.replace(by: tokens)
            hub.dropRevoked()
        }
    }

    private func listen(_ feed: MarketDataFeed, _ tracker: OrderTracker) async {
        let logger = logger
        let hints = Hints(database, channels: ["pgbook_books", "pgbook_trades"]) { error in
            logger.warning("the database cannot be listened to; books are polled", metadata: ["error": "\(error)"])
        }
        try? await hints.run {
            feed.wake()
            // What waits for its outcome need not wait for the feed.
            tracker.somethingExecuted()
        }
    }

    /// Whoever opens connections as fast as they are taken leaves others their time.
    private func pace(_ server: any Channel) async {
        let limits = configuration.limits
        do {
            try await server.setOption(.maxMessagesPerRead, value: 1).get()
            try await server.eventLoop.submit {
                try server.pipeline.syncOperations.addHandler(AcceptPace(limits), position: .first)
            }.get()
        } catch {
            logger.warning("connections are accepted without a pace", metadata: ["error": "\(error)"])
        }
    }

    private func server(
        _ routes: GatewayRoutes, hub: Hub, services: SocketServices, turns: PerLoop<LoopTurns>,
        on group: MultiThreadedEventLoopGroup
    ) -> Application<some HTTPResponder<GatewayContext>> {
        let limits = configuration.limits
        let onListening = onListening
        let doors = doors
        let addresses = AddressTable(limits: limits)
        return Application(
            router: routes.router(),
            server: HTTPServerBuilder { responder in
                GatewayChannel(
                    http: HTTP1Channel(
                        responder: { request, writer, channel in
                            try await responder(request, writer, channel)
                            // NIO parses nothing after a request for an upgrade: this was the connection's last.
                            if request.headers[.upgrade] != nil { channel.close(promise: nil) }
                        },
                        configuration: .init(
                            additionalChannelHandlers: [RequestWatch(limits: limits, turns: turns)],
                            idleTimeout: .milliseconds(limits.idleMillisecondsMax),
                            httpDecoderConfiguration: .init(
                                maxHeaderFieldSize: limits.headerBytesMax, maxHeaderListSize: limits.headerBytesMax,
                                maxHeaderFieldCount: limits.headersMax))),
                    hub: hub, services: services, doors: doors, addresses: addresses, turns: turns,
                    limits: limits,
                    makeUserID: { IDMaker.userID() })
            },
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), serverName: "pgbook",
                backlog: limits.connectionsWaitingMax,
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connectionsMax)),
            onServerRunning: { channel in
                await pace(channel)
                await onListening(channel.localAddress?.port ?? 0)
            },
            eventLoopGroupProvider: .shared(group), logger: logger)
    }
}
