import Exchange
import Foundation
import Gateway
import Logging
import OrderBook
import Postgres
import Store
import Synchronization
import TestSupport
import Testing
import Wire

#if canImport(Glibc)
import Glibc
#endif

/// Three seconds, and one more for a machine that does other things beside.
private let toldMax = Duration.seconds(4)

/// A transaction that holds something until it is told to let go.
private final class HeldLock: Sendable {
    private let release = DispatchSemaphore(value: 0)

    static func take(_ database: TestDatabase, _ sql: String) async throws -> HeldLock {
        let lock = HeldLock()
        try await withCheckedThrowingContinuation { (begun: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread {
                do {
                    let connection = try database.connection()
                    try connection.executeSimple("BEGIN; \(sql)")
                    begun.resume()
                    lock.release.wait()
                    try? connection.executeSimple("ROLLBACK")
                } catch {
                    begun.resume(throwing: error)
                }
            }
        }
        return lock
    }

    func letGo() { release.signal() }
}

/// Where trouble is made.
final class Situation: Sendable {
    let gateway: RunningGateway
    private let held = Mutex<HeldLock?>(nil)
    private let stopped = Mutex<Int32?>(nil)

    init(_ gateway: RunningGateway) { self.gateway = gateway }

    func sql(_ text: String) async throws {
        let database = gateway.database
        try await offThePool { try database.connection().executeSimple(text) }
    }

    func hold(_ sql: String) async throws {
        let lock = try await HeldLock.take(gateway.database, sql)
        held.withLock { $0 = lock }
    }

    func letGo() { held.withLock { $0.take() }?.letGo() }

    /// The matcher's server process does nothing from now on, and says nothing.
    func stop() throws {
        let process = try #require(gateway.matcher.serverProcess)
        guard kill(process, SIGSTOP) == 0 else { throw TestFault("the server's process cannot be stopped") }
        stopped.withLock { $0 = process }
    }

    func goOn() { if let process = stopped.withLock({ $0.take() }) { kill(process, SIGCONT) } }

    /// As if the server were down, for this database alone.
    func shut() async throws {
        let name = gateway.database.name
        try await offThePool {
            let server = try TestServer.connection()
            try server.executeSimple("ALTER DATABASE \(name) ALLOW_CONNECTIONS false")
            try server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        }
    }

    func open() async throws {
        let name = gateway.database.name
        try await offThePool {
            try TestServer.connection().executeSimple("ALTER DATABASE \(name) ALLOW_CONNECTIONS true")
        }
    }
}

/// Something that keeps orders from being executed.
struct Trouble: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// What the reason says.
    var reason: String
    var begin: @Sendable (Situation) async throws -> Void
    var end: @Sendable (Situation) async throws -> Void
}

private let rowHeld = Trouble(
    testDescription: "another session has a market's row", reason: "market BTC-USD is locked by another session",
    begin: { try await $0.hold("SELECT FROM pgbook_data.market_state FOR UPDATE") }, end: { $0.letGo() })
private let processHangs = Trouble(
    testDescription: "the matcher's server process hangs", reason: "does not answer the matcher",
    begin: { try $0.stop() }, end: { $0.goOn() })
private let isDown = Trouble(
    testDescription: "nobody can connect", reason: "the database cannot be",
    begin: { try await $0.shut() }, end: { try await $0.open() })

private let troubles = [
    rowHeld, processHangs, isDown,
    Trouble(
        testDescription: "another session has a whole table", reason: "table trades is locked by the server's process",
        begin: { try await $0.hold("LOCK TABLE pgbook_data.trades IN ACCESS EXCLUSIVE MODE") }, end: { $0.letGo() }),
    Trouble(
        testDescription: "the role may not write trades", reason: "may not insert trades",
        begin: { try await $0.sql("REVOKE INSERT ON pgbook_data.trades FROM pgbook_node") },
        end: { try await $0.sql("GRANT INSERT ON pgbook_data.trades TO pgbook_node") }),
]

extension GatewaySuites {
    /// Ready means that an order would be taken and executed.
    @Suite struct ReadinessTests {
        /// - Returns: how long it took.
        private func becomes(ready: Bool, saying words: String = "", _ gateway: RunningGateway) async throws -> Duration
        {
            let begun = ContinuousClock.now
            try await eventually(ready ? "it is ready" : "it is not ready: …\(words)…", within: .seconds(20)) {
                let answer = try await gateway.get("/ready")
                return answer.status == (ready ? 200 : 503) && (words.isEmpty || answer.body.contains(words))
            }
            return .now - begun
        }

        private func meet(_ trouble: Trouble, _ gateway: RunningGateway, _ socket: TestSocket) async throws {
            let situation = Situation(gateway)
            let before = socket.messages.count { $0["type"] == .string("node") }
            try await trouble.begin(situation)
            do {
                let told = try await becomes(ready: false, saying: trouble.reason, gateway)
                #expect(told <= toldMax, "\(trouble.testDescription): told after \(told)")
                try await eventually("sockets are told") {
                    let told = socket.messages.filter { $0["type"] == .string("node") }
                    return told.count > before && told.last?["ready"] == .bool(false)
                }
                let head = try await gateway.get("/metrics").head
                #expect(head.lowercased().contains("pgbook-not-ready: "))
                let json = try await gateway.get("/ready?format=json")
                #expect(json.status == 503 && json.body.contains(#""ready":false"#), "\(json.body)")
            } catch {
                try await trouble.end(situation)
                throw error
            }
            try await trouble.end(situation)
            let back = try await becomes(ready: true, gateway)
            #expect(back <= toldMax, "\(trouble.testDescription): back after \(back)")
            try await eventually("sockets are told") {
                socket.messages.last { $0["type"] == .string("node") }?["ready"] == .bool(true)
            }
        }

        private func trades(_ id: String, _ gateway: RunningGateway) async throws {
            let socket = try await gateway.connect()
            try await socket.send(
                #"{"type":"add","security":"BTC-USD","side":"bid","amount":1,"price":1,"clientOrderId":"\#(id)"}"#)
            _ = try await socket.first(type: "order", ["status": .string("open"), "clientOrderId": .string(id)])
        }

        @Test func `what keeps orders from being executed is told within three seconds, and taken back as fast`()
            async throws
        {
            try await RunningGateway.run(executesAtOnce: true) { gateway in
                let socket = try await gateway.connect()
                for (number, trouble) in troubles.enumerated() {
                    try await meet(trouble, gateway, socket)
                    try await trades("\(number)", gateway)
                }
            }
        }

        @Test func `a gateway hears of it from a matcher of another process`() async throws {
            try await RunningGateway.run(isMatcherApart: true) { gateway in
                let socket = try await gateway.connect()
                for (number, trouble) in [rowHeld, processHangs, isDown].enumerated() {
                    try await meet(trouble, gateway, socket)
                    try await trades("\(number)", gateway)
                }
            }
        }

        @Test func `a gateway is ready while a matcher is there`() async throws {
            try await RunningGateway.run(hasMatcher: false) { gateway in
                let node = try gateway.database.configuration(as: .node)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await Matcher(.init(), logger: .init(label: "test")).run(database: node) }
                    _ = try await becomes(ready: true, gateway)
                    group.cancelAll()
                    let gone = try await becomes(ready: false, saying: "no matcher is connected", gateway)
                    #expect(gone <= toldMax, "told after \(gone)")
                }
            }
        }

        @Test(arguments: [true, false])
        func `an order that fails is told of, and readiness comes back without another order`(atOnce: Bool) async throws
        {
            try await RunningGateway.run(executesAtOnce: atOnce) { gateway in
                let situation = Situation(gateway)
                try await situation.sql(
                    """
                    CREATE FUNCTION pgbook_data.no() RETURNS trigger LANGUAGE plpgsql AS $$
                    BEGIN RAISE EXCEPTION 'this table is closed'; END $$;
                    GRANT EXECUTE ON FUNCTION pgbook_data.no TO pgbook_node;
                    CREATE TRIGGER no BEFORE INSERT ON pgbook_data.book FOR EACH ROW EXECUTE FUNCTION pgbook_data.no()
                    """)
                let socket = try await gateway.connect()
                try await socket.send(
                    #"{"type":"add","security":"BTC-USD","side":"bid","amount":1,"price":1,"clientOrderId":"a"}"#)
                if atOnce {
                    let error = try await socket.first(type: "error", ["code": .string("not_ready")])
                    #expect("\(error)".contains("this table is closed"))
                }
                let told = try await becomes(ready: false, saying: "market BTC-USD is not executed", gateway)
                #expect(told <= toldMax)
                try await situation.sql("DROP TRIGGER no ON pgbook_data.book")
                let back = try await becomes(ready: true, gateway)
                #expect(back <= toldMax)
                let commands = try gateway.commandCount()
                #expect(commands == (atOnce ? 0 : 1))
            }
        }

        @Test func `what was set aside is a warning`() async throws {
            try await RunningGateway.run { gateway in
                try await Situation(gateway).sql(
                    """
                    INSERT INTO pgbook_data.set_aside (market, id, code, reason)
                    SELECT market, gen_random_uuid(), 122, 'side 7' FROM pgbook_data.markets
                    """)
                try await eventually("it is told") {
                    let answer = try await gateway.get("/ready")
                    return answer.status == 200 && answer.body.contains("warning: command ")
                        && answer.body.contains("set aside as unreadable: side 7")
                }
            }
        }

        @Test func `clients of a batch that hangs are told, and nothing is executed twice`() async throws {
            try await RunningGateway.run(executesAtOnce: true, batchMillisecondsMax: 3_000) { gateway in
                let situation = Situation(gateway)
                let socket = try await gateway.connect()
                let order =
                    #"{"type":"add","security":"BTC-USD","side":"bid","amount":1,"price":1,"clientOrderId":"mine"}"#
                try situation.stop()
                // Whatever fails below: what stands still would keep the test from ending.
                defer { situation.goOn() }
                let begun = ContinuousClock.now
                try await socket.send(order)
                _ = try await socket.first(type: "error", ["code": .string("unavailable")])
                #expect(ContinuousClock.now - begun <= .seconds(4))
                // Who comes while nothing is answered is told too: that it is not known, or that nothing was stored.
                try await socket.send(
                    #"{"type":"add","security":"BTC-USD","side":"bid","amount":1,"price":2,"clientOrderId":"late"}"#)
                let late = try await socket.first(type: "error", ["clientOrderId": .string("late")])
                #expect(["unavailable", "not_ready"].contains(late["code"]?.text))
                situation.goOn()
                _ = try await becomes(ready: true, gateway)
                try await socket.send(order)
                let message = try await socket.first(type: "order", ["clientOrderId": .string("mine")])
                #expect(message["status"] == .string("open"))
                let stored = try gateway.database.connection().execute(
                    "SELECT client_order_id, count(*) FROM pgbook_data.commands GROUP BY 1 HAVING client_order_id = 'mine' OR count(*) > 1"
                )
                #expect(try stored.map { try $0.decode(Int64.self, at: 1) } == [1])
            }
        }
    }
}
