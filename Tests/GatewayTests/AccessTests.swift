import Foundation
import Gateway
import Postgres
import TestSupport
import Testing
import Wire

/// Tokens, pages and addresses, over real sockets.
extension GatewaySuites {
    @Suite struct AccessTests {
        private let order = #"{"type":"add","security":"BTC-USD","side":"bid","amount":1,"price":90}"#
        private let body = #"{"userId":"ann","security":"BTC-USD","side":"bid","amount":1,"price":90}"#

        private func tokenFile(_ text: String) throws -> URL {
            let url = FileManager.default.temporaryDirectory.appending(path: "tokens-\(UUID())")
            try Data(text.utf8).write(to: url)
            return url
        }

        @Test func `with tokens a socket without one reads and cannot trade, with any message there is`() async throws {
            try await RunningGateway.run(GatewayConfiguration(tokens: ["right-token-of-ann": "ann"])) { gateway in
                let socket = try await gateway.connect()
                _ = try await socket.first(type: "aggOrderBook")
                let id = "00000000-0000-7000-8000-000000000000"
                let commands = [
                    order, #"{"type":"amend","id":"\#(id)","amount":1}"#, #"{"type":"delete","id":"\#(id)"}"#,
                    #"{"type":"cancelAll","security":"BTC-USD"}"#,
                ]
                for command in commands { try await socket.send(command) }
                try await eventually("each is refused") {
                    socket.messages.count { $0["code"] == .string("unauthorized") } == commands.count
                }
                try await socket.send(#"{"type":"auth","token":"right-token-of-ann"}"#)
                _ = try await socket.first(type: "welcome", ["userId": .string("ann")])
                #expect(try gateway.commandCount() == 0)
                try await socket.send(order)
                _ = try await socket.first(type: "order")
                // Nor over HTTP, nor is an order shown.
                for (method, path, body) in [("POST", "/orders", body), ("DELETE", "/orders", #"{"id":"\#(id)"}"#)] {
                    #expect(try await gateway.request(method, path, body: body).status == 401)
                }
                let shown = try await gateway.get("/orders/\(id)")
                #expect(shown.status == 401 && shown.head.contains("Bearer"))
                #expect(
                    try await gateway.get("/orders/\(id)", headers: ["Authorization: Bearer right-token-of-ann"]).status
                        == 404)
                // A token in the address ends in logs, and counts for nothing.
                #expect(try await gateway.request("POST", "/orders?token=right-token-of-ann", body: body).status == 401)
            }
        }

        @Test func `a token at the handshake names the socket, and a wrong one opens none`() async throws {
            try await RunningGateway.run(GatewayConfiguration(tokens: ["right-token-of-ann": "ann"]), hasMatcher: false)
            {
                gateway in
                let socket = try await gateway.connect(headers: ["Authorization: Bearer right-token-of-ann"])
                _ = try await socket.first(type: "welcome", ["userId": .string("ann")])
                for header in [
                    "Authorization: Bearer wrong", "Authorization: right-token-of-ann", "Authorization: Basic x",
                ] {
                    let refused = try await gateway.get("/ws", headers: handshake + [header])
                    #expect(refused.status == 401, "\(header)")
                }
            }
        }

        private let handshake = [
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
        ]

        @Test func `guesses are cut off, over HTTP and sockets, and whoever has a token comes in`() async throws {
            try await RunningGateway.run(GatewayConfiguration(tokens: ["right-token-of-ann": "ann"]), hasMatcher: false)
            {
                gateway in
                var statuses: [Int] = []
                for number in 0..<15 {
                    statuses.append(
                        try await gateway.request(
                            "POST", "/orders", body: body, headers: ["Authorization: Bearer guess-\(number)"]
                        ).status)
                }
                #expect(statuses == Array(repeating: 401, count: 11) + Array(repeating: 429, count: 4))
                let socket = try await gateway.connect()
                try await socket.send(#"{"type":"auth","token":"guess"}"#)
                #expect(try await socket.first(type: "error")["code"] == .string("busy"))
                try await eventually("it is closed") { socket.closeCode == 1008 }
                let refused = try await gateway.get("/ws", headers: handshake + ["Authorization: Bearer guess"])
                #expect(refused.status == 429 && refused.head.lowercased().contains("retry-after"))
                let right = try await gateway.request(
                    "POST", "/orders", body: body, headers: ["Authorization: Bearer right-token-of-ann"])
                #expect(right.status == 202)
            }
        }

        @Test func `a socket with three wrong tokens is closed`() async throws {
            try await RunningGateway.run(GatewayConfiguration(tokens: ["right-token-of-ann": "ann"]), hasMatcher: false)
            {
                gateway in
                let socket = try await gateway.connect()
                for number in 0..<3 { try await socket.send(#"{"type":"auth","token":"guess-\#(number)"}"#) }
                try await eventually("it is closed") { socket.closeCode == 1008 }
            }
        }

        @Test func `a token that leaves the file ends its sockets and its right within moments, and a new one counts`()
            async throws
        {
            let file = try tokenFile("right-token-of-ann ann\nright-token-of-bob bob\n")
            defer { try? FileManager.default.removeItem(at: file) }
            try await RunningGateway.run(GatewayConfiguration(tokenFile: file.path), hasMatcher: false) { gateway in
                let ann = try await gateway.connect(headers: ["Authorization: Bearer right-token-of-ann"])
                let bob = try await gateway.connect(headers: ["Authorization: Bearer right-token-of-bob"])
                let reader = try await gateway.connect()
                for socket in [ann, bob, reader] { _ = try await socket.first(type: "welcome") }
                // What cannot be understood changes nothing.
                try Data("right-token-of-bob\n".utf8).write(to: file)
                try Data("right-token-of-bob bob\nright-token-of-joe joe\n".utf8).write(to: file)
                let began = ContinuousClock.now
                try await eventually("her socket is closed") { ann.closeCode == 1008 }
                print("revoked after \(ContinuousClock.now - began)")
                #expect(try await ann.first(type: "error")["code"] == .string("unauthorized"))
                let post = { (token: String) in
                    try await gateway.request(
                        "POST", "/orders", body: #"{"security":"BTC-USD","side":"bid","amount":1,"price":90}"#,
                        headers: ["Authorization: Bearer \(token)"]
                    ).status
                }
                #expect(try await post("right-token-of-ann") == 401)
                #expect(try await post("right-token-of-joe") == 202)
                #expect(!bob.isClosed && !reader.isClosed)
                // Emptied, it leaves nobody with a right; and nobody is trusted because of it.
                try Data().write(to: file)
                try await eventually("his socket is closed too") { bob.closeCode == 1008 }
                #expect(try await post("right-token-of-joe") == 401)
                #expect(try await gateway.request("POST", "/orders", body: body).status == 401)
                #expect(!reader.isClosed)
            }
        }

        @Test func `a page of another origin opens no socket and gives no command, and one allowed does`() async throws
        {
            let configuration = GatewayConfiguration(allowedOrigins: ["https://desk.example.org"])
            try await RunningGateway.run(configuration, hasMatcher: false) { gateway in
                let mine = "Origin: http://localhost:\(gateway.port)"
                let host = "Host: localhost:\(gateway.port)"
                for (origin, isAllowed) in [
                    (mine, true), ("Origin: https://desk.example.org", true), ("Origin: https://evil.example", false),
                    ("Origin: null", false), ("Origin: http://localhost:1", false),
                ] {
                    let socket = try await gateway.raw(
                        (["GET /ws HTTP/1.1", host, origin, "Sec-WebSocket-Version: \(isAllowed ? 12 : 13)"]
                            + handshake.dropLast() + ["", ""]).joined(separator: "\r\n"))
                    // A version that is refused after the door shows that the door was open.
                    #expect(socket.status == (isAllowed ? 400 : 403), "\(origin): \(socket)")
                    for method in ["POST", "DELETE", "PATCH", "PUT"] {
                        let answer = try await gateway.request(method, "/orders", body: "{}", headers: [host, origin])
                        #expect((answer.status == 403) == !isAllowed, "\(method) \(origin): \(answer)")
                    }
                    let read = try await gateway.get("/book?security=BTC-USD", headers: [host, origin])
                    #expect(read.status == 200)
                    let isShared = read.head.lowercased().contains(
                        "access-control-allow-origin: https://desk.example.org")
                    #expect(isShared == origin.contains("desk"), "\(origin): \(read.head)")
                }
                let preflight = try await gateway.request(
                    "OPTIONS", "/orders",
                    headers: ["Origin: https://desk.example.org", "Access-Control-Request-Method: POST"])
                #expect(preflight.status == 204 && preflight.head.lowercased().contains("access-control-allow-headers"))
                let foreign = try await gateway.request(
                    "OPTIONS", "/orders",
                    headers: ["Origin: https://evil.example", "Access-Control-Request-Method: POST"])
                #expect(foreign.status == 403 && !foreign.head.lowercased().contains("access-control"))
                #expect(try gateway.commandCount() == 0)
            }
        }

        @Test(arguments: [
            "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
            "text/plain; application/json", "application/jsonx",
        ])
        func `a body of any other type than JSON is refused`(type: String) async throws {
            try await RunningGateway.run(hasMatcher: false) { gateway in
                for method in ["POST", "DELETE"] {
                    let answer = try await gateway.request(
                        method, "/orders", body: body, headers: ["Content-Type: \(type)"])
                    #expect(answer.status == 415)
                }
                #expect(try gateway.commandCount() == 0)
                let right = try await gateway.request(
                    "POST", "/orders", body: body, headers: ["Content-Type: Application/JSON; charset=utf-8"])
                #expect(right.status == 202)
            }
        }

        @Test func `a foreign Host is refused on every road, and a public name is not`() async throws {
            let configuration = GatewayConfiguration(publicNames: ["book.example.com"])
            try await RunningGateway.run(configuration, hasMatcher: false) { gateway in
                for path in ["/", "/book?security=BTC-USD", "/health", "/ready", "/metrics", "/nothing"] {
                    #expect(try await gateway.get(path, headers: ["Host: evil.example"]).status == 421, "\(path)")
                }
                #expect(try await gateway.get("/ws", headers: handshake + ["Host: evil.example"]).status == 421)
                #expect(
                    try await gateway.request("POST", "/orders", body: body, headers: ["Host: evil.example"]).status
                        == 421)
                #expect(try await gateway.get("/health", headers: ["Host: book.example.com"]).status == 200)
                let lines = ["GET /health HTTP/1.1", "Connection: close"]
                for hosts in [[], ["Host: localhost", "Host: localhost"], ["Host: localhost", "Host: evil.example"]] {
                    let answer = try await gateway.raw((lines + hosts + ["", ""]).joined(separator: "\r\n"))
                    #expect(answer.status == 400, "\(hosts): \(answer)")
                }
                for (target, status) in [
                    ("http://localhost/health", 200), ("HTTP://localhost:80/health", 200),
                    ("http://evil.example/health", 421),
                    ("http://localhost", 200), ("evil:/health", 400), ("health", 400), ("http:///health", 400),
                ] {
                    let answer = try await gateway.raw(
                        "GET \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    #expect(answer.status == status, "\(target): \(answer)")
                }
            }
        }

        @Test func `every answer tells browsers what pages may do with it`() async throws {
            try await RunningGateway.run(hasMatcher: false) { gateway in
                for path in ["/", "/book?security=BTC-USD", "/nothing", "/health", "/candles"] {
                    let head = try await gateway.get(path).head.lowercased()
                    for line in [
                        "x-content-type-options: nosniff", "referrer-policy: no-referrer", "x-frame-options: deny",
                        "cross-origin-resource-policy: same-origin", "frame-ancestors 'none'",
                    ] { #expect(head.contains(line), "\(path): \(head)") }
                    #expect(!head.contains("access-control"))
                }
                let page = try await gateway.get("/").head
                #expect(page.contains("script-src 'sha256-") && page.contains("connect-src 'self'"), "\(page)")
            }
        }
    }
}
