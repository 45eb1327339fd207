import MarketData
import NIOCore
import Postgres
import TestSupport
import Testing
import Wire

@testable import Gateway

/// Bounds that the server's own behaviour keeps, and those that clients try.
extension GatewaySuites {
    @Suite struct BoundTests {
        @Test func `a socket opens and is sent every market, however much that is`() async throws {
            // The first snapshot is some times what may wait.
            let limits = GatewayLimits(sendBufferBytes: 8_192, outboxBytesMax: 32_768, outboxMillisecondsMax: 200)
            let markets = (0..<300).map { "M\($0)" }
            try await RunningGateway.run(GatewayConfiguration(limits: limits), hasMatcher: false, markets: markets) {
                gateway in
                let (slow, quick) = (try await gateway.connect(), try await gateway.connect())
                try await slow.setReads(false)
                func known(_ socket: TestSocket) -> Set<String> {
                    Set(
                        socket.messages.filter { $0["type"] == .string("aggOrderBook") }
                            .compactMap { $0["security"]?.text })
                }
                try await eventually("all markets") { known(quick).count == markets.count }
                try gateway.database.addMarket("LATER")
                try await eventually("one that was added") { known(quick).contains("LATER") }
                // It has been patient for longer than one who is behind may be: nothing waits for it in memory.
                #expect(!slow.isClosed)
                try await slow.setReads(true)
                try await eventually("all markets") { known(slow).count == markets.count + 1 }
                // By name: each once more, and then no others.
                try await quick.send(#"{"type":"subscribe","securities":["M7","M8"]}"#)
                _ = try await quick.first(type: "subscribed")
                try await eventually("those of the subscription") {
                    let after = quick.messages.drop { $0["type"] != .string("subscribed") }
                    return after.compactMap { $0["security"]?.text } == ["M7", "M8"]
                }
            }
        }

        @Test func `cancelAll of thousands of own orders cuts its sender off neither at once nor later`() async throws {
            let orders = 3_000
            let limits = GatewayLimits(outboxBytesMax: 65_536, ordersPerSocketMax: orders)
            try await RunningGateway.run(GatewayConfiguration(limits: limits), executesAtOnce: true) { gateway in
                let socket = try await gateway.connect()
                for number in 0..<orders {
                    try await socket.send(
                        #"{"type":"add","security":"BTC-USD","side":"ask","amount":1,"price":\#(1_000 + number)}"#)
                    if number % 500 == 499 {
                        try await eventually("they rest") {
                            socket.messages.count { $0["status"] == .string("open") } == number + 1
                        }
                    }
                }
                try await socket.send(#"{"type":"cancelAll","security":"BTC-USD"}"#)
                try await eventually("each is told") {
                    socket.messages.count { $0["status"] == .string("cancelled") } == orders
                }
                #expect(!socket.isClosed)
            }
        }

        @Test func `an address has as many sockets and connections as it may, and gets them back`() async throws {
            let limits = GatewayLimits(connectionsPerAddressMax: 4, socketsPerAddressMax: 2)
            try await RunningGateway.run(GatewayConfiguration(limits: limits), hasMatcher: false) { gateway in
                let sockets = [try await gateway.connect(), try await gateway.connect()]
                let third = try await gateway.get(
                    "/ws",
                    headers: [
                        "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                        "Sec-WebSocket-Version: 13",
                    ])
                #expect(third.status == 429)
                var idle: [RawConnection] = []
                for _ in 0..<2 { idle.append(try await RawConnection.connect(port: gateway.port)) }
                let fifth = try await gateway.raw("GET /health HTTP/1.1\r\n\r\n")
                #expect(fifth.status == 429)
                for connection in idle { connection.close() }
                sockets[0].hangUp()
                try await eventually("there is room again") {
                    (try? await TestSocket.connect(port: gateway.port)) != nil
                }
            }
        }

        @Test(arguments: [
            "GET /hea", "GET /health HTTP/1.1\r\nHost: localhost\r\nX: ",
            "POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
            "GET /ws HTTP/1.1\r\nHost: localhost\r\nX: ",
        ])
        func `a request that trickles is ended when it has had its time`(beginning: String) async throws {
            let limits = GatewayLimits(requestMillisecondsMax: 300, idleMillisecondsMax: 600_000)
            try await RunningGateway.run(GatewayConfiguration(limits: limits), hasMatcher: false) { gateway in
                let connection = try await RawConnection.connect(port: gateway.port)
                try await connection.write(ByteBuffer(string: beginning))
                let began = ContinuousClock.now
                try await eventually("it is ended, though bytes come all the time") {
                    if !connection.isClosed { try? await connection.write(ByteBuffer(string: "x")) }
                    return connection.isClosed
                }
                #expect(ContinuousClock.now - began < .seconds(5))
                let answer = String(buffer: connection.take())
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 408"), "\(answer)")
            }
        }

        @Test func `headers have bounds, and what is over them is told`() async throws {
            try await RunningGateway.run(hasMatcher: false) { gateway in
                let long = String(repeating: "x", count: 20_000)
                for headers in [
                    ["X: \(long)"], (0..<200).map { "X\($0): y" }, (0..<9).map { "X\($0): \(long.prefix(2_000))" },
                ] {
                    let answer = try await gateway.get("/health", headers: headers)
                    #expect(answer.status == 431, "\(answer)")
                }
                let target = try await gateway.get("/\(long)")
                #expect([400, 414, 431].contains(target.status), "\(target)")
                #expect(try await gateway.get("/health").status == 200)
            }
        }

        @Test func `a client that asks before it sends is answered`() async throws {
            try await RunningGateway.run(hasMatcher: false) { gateway in
                let body = #"{"userId":"ann","security":"BTC-USD","side":"bid","amount":1,"price":90}"#
                let connection = try await RawConnection.connect(port: gateway.port)
                let head = [
                    "POST /orders HTTP/1.1", "Host: localhost", "Content-Type: application/json", "Connection: close",
                    "Expect: 100-continue", "Content-Length: \(body.utf8.count)", "", "",
                ].joined(separator: "\r\n")
                try await connection.write(ByteBuffer(string: head))
                try await eventually("it may go on") { String(buffer: connection.take()).hasPrefix("HTTP/1.1 100") }
                try await connection.write(ByteBuffer(string: body))
                let answer = String(decoding: try await connection.readToEnd(), as: UTF8.self)
                #expect(answer.contains("HTTP/1.1 202"))
            }
        }

        @Test func `a client that reads no answers is hung up on`() async throws {
            let limits = GatewayLimits(
                responseMillisecondsMax: 200, sendBufferBytes: 8_192, idleMillisecondsMax: 600_000)
            try await RunningGateway.run(GatewayConfiguration(limits: limits), hasMatcher: false) { gateway in
                let connection = try await RawConnection.connect(port: gateway.port)
                try await connection.setReads(false)
                let request = ByteBuffer(string: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                try await eventually("it is hung up on") {
                    if !connection.isClosed { try? await connection.write(request) }
                    return connection.isClosed
                }
            }
        }

        @Test func `pings and wrong messages beyond their rate are read more slowly, and nobody is closed`()
            async throws
        {
            let limits = GatewayLimits(sideFramesPerSecond: 100, sideFramesBurst: 50)
            try await RunningGateway.run(GatewayConfiguration(limits: limits), hasMatcher: false) { gateway in
                let socket = try await gateway.connect()
                _ = try await socket.first(type: "welcome")
                func answers(_ count: Int) async throws {
                    try await eventually("each is answered") {
                        socket.messages.count { $0["code"] == .string("bad_json") } == count
                    }
                }
                let began = ContinuousClock.now
                for _ in 0..<100 { try await socket.send("{") }
                try await answers(100)
                // What came in one piece was read in one; what comes then waits until it is paid for.
                try await socket.send("{")
                try await answers(101)
                // Two hundred at a hundred a second, less what may come at once.
                #expect(ContinuousClock.now - began > .seconds(1))
                #expect(!socket.isClosed)
            }
        }
    }
}

@Suite struct AllowanceTests {
    private func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .milliseconds(milliseconds) }

    @Test func `what is overdrawn is paid back at the rate`() {
        var allowance = Allowance(perSecond: 1_000, burst: 100)
        allowance.spend(600)
        let waits = [0, 100, 499, 501].map { allowance.wait(now: at($0)) }
        #expect(waits == [.milliseconds(500), .milliseconds(400), .milliseconds(1), nil])
    }

    @Test func `looks that come faster than anything is gained lose nothing`() {
        var allowance = Allowance(perSecond: 10, burst: 10)
        allowance.spend(20)
        for milliseconds in 0..<1_500 as Range<Int64> { _ = allowance.wait(now: at(milliseconds)) }
        let wait = allowance.wait(now: at(1_500))
        #expect(wait == nil)
    }
}
