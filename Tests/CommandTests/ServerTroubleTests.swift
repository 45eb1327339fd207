import Foundation
import Postgres
import TestSupport
import Testing

/// A `serve` whose server is stopped, set otherwise, or has no room left: ready means that an order would be executed.
@Suite(.serialized, .enabled(if: TestServer.programs != nil, "left out: PGBOOK_TEST_POSTGRES_BIN names no programs"))
struct ServerTroubleTests {
    /// Three seconds, and one more for a machine that does other things beside.
    private static let toldMax = Duration.seconds(4)

    private struct Running {
        let server: PrivateServer
        let serve: RunningProgram
        let port: UInt16
        var url: String { server.url(database: "book") }

        init(_ server: PrivateServer) async throws {
            self.server = server
            try server.create("book")
            let url = server.url(database: "book")
            for command in [["migrate"], ["market", "add", "M", "--tick", "1", "--lot", "1"]] {
                let result = try Program.run(command, database: url)
                #expect(result.status == 0, "\(result.errors)")
            }
            let serve = try RunningProgram(["serve", "--port", "0"], database: url)
            self.serve = serve
            var found: UInt16?
            try await eventually("it listens") {
                found = serve.errors.firstMatch(of: /port=(\d+) \[pgbook\] listening/).flatMap { UInt16($0.1) }
                return found != nil
            }
            port = try #require(found)
            try await becomes(ready: true)
        }

        /// - Returns: how long it took.
        @discardableResult
        func becomes(ready: Bool, within limit: Duration = .seconds(30)) async throws -> Duration {
            let begun = ContinuousClock.now
            var answer = ""
            do {
                try await eventually("ready is \(ready)", within: limit) {
                    answer = ask(port, "GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    return answer.hasPrefix(ready ? "HTTP/1.1 200" : "HTTP/1.1 503")
                }
            } catch {
                throw TestFault("\(error); it says: \(answer); its log: \(serve.errors.suffix(2_000))")
            }
            return .now - begun
        }

        /// - Returns: the answer.
        func place(_ id: String) -> String {
            let order = #"{"userId":"ann","security":"M","side":"bid","amount":1,"price":1,"clientOrderId":"\#(id)"}"#
            return ask(
                port,
                "POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
                    + "Content-Length: \(order.utf8.count)\r\n\r\n\(order)")
        }

        func isTaken(_ answer: String) -> Bool {
            answer.hasPrefix("HTTP/1.1 200") || answer.hasPrefix("HTTP/1.1 201")
        }

        func ends() throws {
            serve.signal(SIGTERM)
            #expect(try serve.result().status == 0, "\(serve.errors)")
            let verify = try Program.run(["verify"], database: url)
            #expect(verify.status == 0, "\(verify.errors)\(verify.output)")
        }

        /// How many orders of these ids there are.
        func stored(_ ids: [String]) throws -> Int64 {
            try server.connection(database: "book").execute(
                "SELECT count(*) FROM pgbook.commands WHERE client_order_id = any ($1)", ids
            ).one().decode(at: 0)
        }
    }

    @Test func `a server that is stopped and started is told of both times, and trades go on`() async throws {
        let running = try await Running(PrivateServer())
        #expect(running.isTaken(running.place("before")))
        try running.server.stop()
        let told = try await running.becomes(ready: false)
        #expect(told <= Self.toldMax, "told after \(told)")
        let doctor = try Program.run(["doctor"], database: running.url)
        #expect(doctor.status != 0, "\(doctor.output)")
        let refused = running.place("meanwhile")
        #expect(!running.isTaken(refused), "\(refused)")
        try running.server.start()
        let back = try await running.becomes(ready: true)
        #expect(back <= Self.toldMax, "back after \(back)")
        let placed = running.place("after")
        #expect(running.isTaken(placed), "\(placed)")
        #expect(try running.stored(["before", "after"]) == 2)
        try running.ends()
    }

    @Test func `a database whose sessions only read by default trades all the same`() async throws {
        let server = try PrivateServer()
        let running = try await Running(server)
        try server.set("default_transaction_read_only", "on")
        // Those that run have settled it; those that come do so at connect.
        try server.connection().execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'book'")
        try await running.becomes(ready: true)
        try await eventually("it trades") { running.isTaken(running.place("mine")) }
        // It may speak for as long as anybody of the time when connections were cut.
        try await eventually("doctor is content", within: Self.toldMax) {
            try Program.run(["doctor"], database: running.url).status == 0
        }
        try running.ends()
    }

    @Test(.enabled(if: PrivateServer.givesDisks, "left out: this user may not mount a disk"))
    func `a full disk is told of before anybody's order cannot be kept, and orders go on when there is room again`()
        async throws
    {
        let running = try await Running(PrivateServer(diskMegabytes: 400))
        #expect(running.isTaken(running.place("first")))
        try running.server.fillDisk(true)
        let told = try await running.becomes(ready: false)
        #expect(told <= Self.toldMax, "told after \(told)")
        // Room that is reserved already may still take some; what is refused is told that nothing was stored.
        var taken: [String] = ["first"]
        for number in 0..<100 {
            let answer = running.place("\(number)")
            if running.isTaken(answer) {
                taken.append("\(number)")
            } else {
                #expect(answer.hasPrefix("HTTP/1.1 503"), "\(answer)")
            }
        }
        let doctor = try Program.run(["doctor"], database: running.url)
        #expect(doctor.status != 0, "\(doctor.output)")
        try running.server.fillDisk(false)
        // A server that could not write its log has stopped itself.
        if (try? running.server.connection()) == nil { try running.server.start() }
        try await running.becomes(ready: true)
        try await eventually("orders are taken") { running.isTaken(running.place("last")) }
        #expect(try running.stored(taken) == Int64(taken.count), "of what was acknowledged, all is there")
        try running.ends()
    }
}
