import Exchange
import Foundation
import Gateway
import Logging
import NIOCore
import Postgres
import ServiceLifecycle
import Store
import Synchronization
import TestSupport
import Testing

/// A gateway with a database of its own, and a matcher unless the test does without.
struct RunningGateway: Sendable {
    let database: TestDatabase
    let port: Int
    /// How its matcher fares, if it has one.
    let matcher: ExecutorHealth
    let shutDown: @Sendable () async -> Void

    /// Runs a body beside a gateway that is ready, then shuts the gateway down gracefully.
    static func run(
        _ configuration: GatewayConfiguration = GatewayConfiguration(port: 0), hasMatcher: Bool = true,
        isMatcherApart: Bool = false, markets: [String] = ["BTC-USD"], executesAtOnce: Bool = false,
        batchMillisecondsMax: Int64 = 30_000, _ body: @escaping @Sendable (RunningGateway) async throws -> Void
    ) async throws {
        let database = try await offThePool {
            let database = try TestDatabase()
            for market in markets { try database.addMarket(market) }
            return database
        }
        var configuration = configuration
        configuration.port = 0
        configuration.limits.closeMillisecondsMax = 50
        // A machine that does much beside takes long, and that is not what is tested.
        configuration.limits.batchMillisecondsMax = batchMillisecondsMax
        let (ports, portSource) = AsyncStream.makeStream(of: Int.self)
        let logger = quietLogger()
        let node = try database.configuration(as: .node)
        let entrance = executesAtOnce ? DirectEntrance() : nil
        let matcher = Matcher(.init(), entrance: entrance, logger: logger)
        let service = try GatewayService(
            configuration, database: node, entrance: entrance,
            executor: hasMatcher && !isMatcherApart ? matcher.health : nil, logger: logger
        ) { port in portSource.yield(port) }
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service, successTerminationBehavior: .ignore)], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { matching in
            if hasMatcher {
                matching.addTask { await matcher.run(database: node) }
            }
            try await withThrowingTaskGroup(of: Void.self) { serving in
                serving.addTask { try await group.run() }
                do {
                    guard let port = await ports.first(where: { _ in true }) else { throw TestFault("no port") }
                    let gateway = RunningGateway(database: database, port: port, matcher: matcher.health) {
                        await group.triggerGracefulShutdown()
                    }
                    try await gateway.becomesReady(hasMatcher: hasMatcher)
                    try await body(gateway)
                } catch {
                    serving.cancelAll()
                    throw error
                }
                await group.triggerGracefulShutdown()
                try await serving.waitForAll()
            }
            matching.cancelAll()
        }
    }

    private static func quietLogger() -> Logger {
        var logger = Logger(label: "test gateway")
        logger.logLevel = .critical
        return logger
    }

    private func becomesReady(hasMatcher: Bool) async throws {
        try await eventually("the gateway is ready") {
            let answer = try await get("/ready")
            return hasMatcher ? answer.status == 200 : answer.body.contains("no matcher")
        }
    }

    func connect(headers: [String] = []) async throws -> TestSocket {
        try await TestSocket.connect(port: port, headers: headers)
    }

    /// How many commands the log holds.
    func commandCount() throws -> Int64 {
        try database.connection().execute("SELECT count(*) FROM pgbook_data.commands").one().decode(at: 0)
    }

    // MARK: HTTP

    struct Answer: Sendable {
        var status: Int
        var head: String
        var body: String
    }

    func get(_ path: String, headers: [String] = []) async throws -> Answer {
        try await request("GET", path, headers: headers)
    }

    /// Headers that are given stand instead of the usual ones.
    func request(_ method: String, _ path: String, body: String = "", headers: [String] = []) async throws -> Answer {
        var lines = ["\(method) \(path) HTTP/1.1", "Connection: close", "Content-Length: \(body.utf8.count)"] + headers
        for usual in ["Host: localhost", "Content-Type: application/json"]
        where !headers.contains(where: { $0.lowercased().hasPrefix(usual.prefix { $0 != ":" }.lowercased()) }) {
            lines.append(usual)
        }
        return try await raw(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    /// Sends these bytes and reads until the other side closes.
    func raw(_ text: String...) async throws -> Answer {
        let connection = try await RawConnection.connect(port: port)
        for part in text { try await connection.write(ByteBuffer(string: part)) }
        let bytes = try await connection.readToEnd()
        let answer = String(decoding: bytes, as: UTF8.self)
        guard let end = answer.range(of: "\r\n\r\n") else { throw TestFault("no HTTP answer: '\(answer)'") }
        let head = String(answer[..<end.lowerBound])
        let status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return Answer(status: status, head: head, body: String(answer[end.upperBound...]))
    }
}

/// What blocks runs on a thread of its own: the gateway under test needs the few threads that tasks share.
func offThePool<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
}

/// One gateway at a time: each has a database, a matcher and sockets of its own.
@Suite(.serialized) enum GatewaySuites {}
