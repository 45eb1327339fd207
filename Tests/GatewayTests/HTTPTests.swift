import Gateway
import OrderBook
import Postgres
import Store
import TestSupport
import Testing
import Wire

extension GatewaySuites {
    @Suite struct HTTPTests {
        private func json(_ answer: RunningGateway.Answer) throws -> JSONValue {
            try JSONValue.parse(Array(answer.body.utf8), limits: WireLimits(messageBytesMax: 1 << 20))
        }

        @Test func `a node of a cluster that takes no orders is not ready, says why, and refuses`() async throws {
            try await RunningGateway.run { gateway in
                let node = gateway.database
                _ = try await offThePool {
                    try node.connection().createCluster(id: "c", node: "a", members: ["a", "b"], window: 1_000_000)
                    return try node.connection(as: .node).write([
                        .admit(false, because: "it has lost its peers"), .close(Bounds.times.upperBound, chain: nil),
                    ])
                }
                let early = try await gateway.connect()
                try await eventually("not ready") { try await gateway.get("/ready").status == 503 }
                // What it serves meanwhile is marked.
                let marked = try await gateway.get("/trades?security=BTC-USD")
                #expect(marked.head.lowercased().contains("pgbook-not-ready: it has lost its peers"), "\(marked.head)")
                for socket in [early, try await gateway.connect()] {
                    // One that opens is told what was so a moment ago, and then what is.
                    _ = try await socket.first(
                        type: "node", ["ready": .bool(false), "reason": .string("it has lost its peers")])
                }
                #expect(try await gateway.get("/ready").body == "not ready: it has lost its peers\n")
                let order = """
                    {"userId":"ann","security":"BTC-USD","side":"bid","execType":"limit","amount":1,"price":100}
                    """
                let refused = try await gateway.request("POST", "/orders", body: order)
                #expect(refused.status == 503 && refused.body.contains("not_ready"), "\(refused)")
                _ = try await offThePool { try node.connection(as: .node).write([.admit(true, because: nil)]) }
                try await eventually("ready") { try await gateway.get("/ready").status == 200 }
                _ = try await early.first(type: "node", ["ready": .bool(true)])
                let fresh = try await gateway.get("/trades?security=BTC-USD")
                #expect(!fresh.head.lowercased().contains("pgbook-not-ready"))
                try await offThePool {
                    _ = try node.connection().execute(
                        "UPDATE pgbook_data.cluster SET closed_through = clock_timestamp() - interval '1 hour'")
                }
                try await eventually("behind") {
                    try await gateway.get("/ready").body.hasPrefix("not ready: it is behind")
                }
            }
        }

        @Test func `health, readiness, metrics and the page are there`() async throws {
            try await RunningGateway.run { gateway in
                for path in ["/health", "/ready"] {
                    let answer = try await gateway.get(path)
                    #expect(answer.status == 200)
                }
                let metrics = try await gateway.get("/metrics")
                #expect(metrics.body.contains("pgbook_sockets 0\n"))
                let page = try await gateway.get("/")
                #expect(page.head.contains("text/html"))
                #expect(page.body.contains("new WebSocket("))
                #expect(!page.body.contains("http://") && !page.body.contains("https://"))
                let nothing = try await gateway.get("/nothing")
                #expect(nothing.status == 404)
            }
        }

        @Test func `an order is placed, shown and deleted`() async throws {
            try await RunningGateway.run { gateway in
                let body =
                    #"{"userId":"ann","security":"BTC-USD","side":"bid","amount":"2","price":99.5,"clientOrderId":"h"}"#
                let placed = try await gateway.request("POST", "/orders", body: body)
                #expect(placed.status == 202)
                let id = try #require(try json(placed)["id"]?.text)
                try await eventually("it is executed") { try await gateway.get("/orders/\(id)").status == 200 }
                let shown = try json(await gateway.get("/orders/\(id)"))
                #expect(shown["status"] == .string("open"))
                #expect(shown["remaining"] == .number("2"))

                let retry = try await gateway.request("POST", "/orders", body: body)
                #expect(retry.status == 200)
                #expect(try json(retry)["id"] == .string(id))

                let delete = { (user: String) in
                    try await gateway.request("DELETE", "/orders", body: #"{"id":"\#(id)","userId":"\#(user)"}"#)
                }
                #expect(try await delete("bob").status == 403)
                #expect(try await delete("ann").status == 202)
                try await eventually("it is cancelled") {
                    try json(await gateway.get("/orders/\(id)"))["status"] == .string("cancelled")
                }
            }
        }

        @Test func `books and trades are the same messages as on the socket`() async throws {
            try await RunningGateway.run { gateway in
                let socket = try await gateway.connect()
                for (side, price) in [("ask", 101), ("ask", 102), ("bid", 101), ("bid", 99)] {
                    try await socket.send(
                        #"{"type":"add","security":"BTC-USD","side":"\#(side)","amount":1,"price":\#(price)}"#)
                }
                let book = try await socket.first(type: "aggOrderBook", ["seq": .number("4")])
                let whole = try json(await gateway.get("/book?security=BTC-USD"))
                #expect(whole == book)
                let top = try json(await gateway.get("/book?security=BTC-USD&depth=1"))
                #expect(top["aggOrderBook"]?["ask"]?.elements.count == 1)
                let trades = try json(await gateway.get("/trades?security=BTC-USD&limit=5"))
                #expect(trades["trades"]?.elements.count == 1)
            }
        }

        @Test func `candles are those of the SQL function, and bad questions are told what is wrong`() async throws {
            try await RunningGateway.run { gateway in
                for (side, price) in [("ask", 101), ("bid", 101), ("ask", 103), ("bid", 103)] {
                    let body =
                        #"{"userId":"ann","security":"BTC-USD","side":"\#(side)","amount":"2","price":\#(price)}"#
                    #expect(try await gateway.request("POST", "/orders", body: body).status == 202)
                }
                func candles(_ query: String) async throws -> RunningGateway.Answer {
                    try await gateway.get("/candles?security=BTC-USD" + query)
                }
                try await eventually("both trades are in candles") {
                    try await candles("&interval=1w").body.contains(#""trades":2,"#)
                }
                let week = try await candles("&interval=1w")
                #expect(week.status == 200)
                #expect(
                    week.body.contains(#""open":101,"high":103,"low":101,"close":103,"volume":4,"quote_volume":408,"#))
                let all = try await candles("&interval=1w&from=2000-01-03&limit=1000")
                #expect(all.body == "[]", "1,000 weeks from there end in 2019")
                let later = try await candles("&interval=1w&from=2020-01-06T00:00:00Z&limit=1000")
                #expect(later.body == week.body)
                for (query, field) in [
                    ("&interval=7m", "interval"), ("&limit=0", "limit"), ("&limit=1001", "limit"),
                    ("&fill=last", "fill"),
                    ("&from=yesterday", "from"), ("&from=2026-01-02&to=2026-01-01", "from"),
                    ("&from=2020-01-01&to=2026-01-01", "to"), ("&to=2026-02-30", "to"),
                ] {
                    let answer = try await candles(query)
                    #expect(answer.status == 400, "\(query)")
                    #expect(try json(answer)["field"] == .string(field), "\(query)")
                    #expect(try json(answer)["code"] == .string("bad_value"), "\(query)")
                }
                #expect(try await gateway.get("/candles").status == 400)
                #expect(try await gateway.get("/candles?security=X").status == 404)
            }
        }

        @Test func `a market that holds an imported history has candles, and does not stop the others`() async throws {
            try await RunningGateway.run(markets: ["BTC-USD", "OLD"]) { gateway in
                try gateway.database.connection().executeSimple(
                    """
                    UPDATE pgbook_data.markets SET is_imported = true WHERE symbol = 'OLD';
                    INSERT INTO pgbook_data.trades (time, trade_id, price, amount, market, taker_side)
                    SELECT '2026-01-01', 7, 200, 1000, market, 0 FROM pgbook_data.markets WHERE symbol = 'OLD';
                    INSERT INTO pgbook_data.candles_1m
                    SELECT time, price, price, price, price, 1, 7, 7, market, amount, price * amount, 0, 0
                    FROM pgbook_data.trades;
                    UPDATE pgbook_data.market_state s SET trade_id = 7, last_price = 200, clock = t.time
                    FROM pgbook_data.trades t WHERE t.market = s.market;
                    """)
                let socket = try await gateway.connect()
                try await socket.send(#"{"type":"add","security":"BTC-USD","side":"bid","amount":1,"price":100}"#)
                _ = try await socket.first(
                    type: "aggOrderBook", ["security": .string("BTC-USD"), "seq": .number("1")])
                let candles = try await gateway.get("/candles?security=OLD&from=2026-01-01&to=2026-01-01T01:00:00Z")
                #expect(candles.status == 200)
                #expect(candles.body.contains(#""close":100,"#), "\(candles.body)")
            }
        }

        @Test func `bad requests are answered with their code`() async throws {
            try await RunningGateway.run(hasMatcher: false) { gateway in
                let table: [(method: String, path: String, body: String, status: Int, code: String)] = [
                    ("GET", "/book", "", 400, "missing_field"),
                    ("GET", "/book?security=NONE", "", 404, "unknown_market"),
                    ("GET", "/book?security=BTC-USD&depth=0", "", 400, "bad_value"),
                    ("GET", "/book?security=BTC-USD&depth=1e9", "", 400, "bad_value"),
                    ("GET", "/trades?security=BTC-USD&limit=100000", "", 400, "bad_value"),
                    ("GET", "/orders/42", "", 400, "bad_id"),
                    ("GET", "/orders/00000000-0000-7000-8000-000000000000", "", 404, "unknown_order"),
                    ("POST", "/orders", "{", 400, "bad_json"), ("POST", "/orders", "{}", 400, "missing_field"),
                    (
                        "POST", "/orders", #"{"security":"BTC-USD","side":"bid","amount":1,"price":2}"#, 400,
                        "missing_field"
                    ),
                    (
                        "POST", "/orders", #"{"userId":"a","security":"BTC-USD","side":"bid","amount":1,"price":0.3}"#,
                        422,
                        "off_tick"
                    ),
                    ("POST", "/orders", String(repeating: " ", count: 100_000), 413, "too_big"),
                    ("DELETE", "/orders", #"{"userId":"a","id":"x"}"#, 400, "bad_id"),
                ]
                for row in table {
                    let answer = try await gateway.request(row.method, row.path, body: row.body)
                    #expect(answer.status == row.status, "\(row.method) \(row.path) \(row.body.prefix(80)): \(answer)")
                    #expect(try json(answer)["code"] == .string(row.code), "\(row.method) \(row.path)")
                }
                #expect(try gateway.commandCount() == 0)
            }
        }

        @Test func `with tokens, an order over HTTP needs one`() async throws {
            try await RunningGateway.run(GatewayConfiguration(tokens: ["secret": "ann"]), hasMatcher: false) {
                gateway in
                let order = #"{"security":"BTC-USD","side":"bid","amount":1,"price":2}"#
                let mine = #"{"userId":"bob","security":"BTC-USD","side":"bid","amount":1,"price":2}"#
                let token = ["Authorization: Bearer secret"]
                let anonymous = try await gateway.request("POST", "/orders", body: mine)
                let forAnother = try await gateway.request("POST", "/orders", body: mine, headers: token)
                let wrong = try await gateway.request(
                    "POST", "/orders", body: order, headers: ["Authorization: Bearer x"])
                let right = try await gateway.request("POST", "/orders", body: order, headers: token)
                #expect([anonymous, forAnother, wrong, right].map(\.status) == [401, 401, 401, 202])
            }
        }

        @Test func `an order over HTTP, WebSocket and SQL gives the same row`() async throws {
            try await RunningGateway.run { gateway in
                let connection = try gateway.database.connection()
                try connection.execute(
                    "SELECT pgbook.place_order('BTC-USD', 'bid', 1.5, 99.5, self_trade_prevention => 'co', user_id => 'u')"
                )
                let fields =
                    #""security":"BTC-USD","side":"bid","amount":"1.50","price":99.50,"selfTradePrevention":"co""#
                _ = try await gateway.request("POST", "/orders", body: #"{"userId":"u",\#(fields)}"#)
                let socket = try await gateway.connect()
                try await socket.send(#"{"type":"add",\#(fields)}"#)
                try await eventually("all are executed") {
                    try connection.execute("SELECT count(*) FROM pgbook_data.executions").one().decode(
                        Int64.self, at: 0)
                        == 3
                }
                let columns =
                    "kind, side, exec_type, tif, stp, post_only, amount, price, c.market, origin, e.code, e.remaining"
                let kinds: Int64 = try connection.execute(
                    "SELECT count(DISTINCT (\(columns))) FROM pgbook_data.commands c JOIN pgbook_data.executions e USING (id)"
                ).one().decode(at: 0)
                #expect(kinds == 1)
            }
        }
    }
}

/// HTTP and WebSocket share a port: what happens at the border.
extension GatewaySuites {
    @Suite struct OnePortTests {
        @Test func `a request for /ws without an upgrade is told what is missing`() async throws {
            try await RunningGateway.run(hasMatcher: false) { gateway in
                let answer = try await gateway.get("/ws")
                #expect(answer.status == 426)
                #expect(answer.head.lowercased().contains("upgrade: websocket"))
                let incomplete = try await gateway.get("/ws", headers: ["Upgrade: websocket"])
                #expect(incomplete.status == 400)
                let post = try await gateway.request("POST", "/ws", body: "x")
                #expect(post.status == 404 || post.status == 405)
            }
        }

        @Test func `a request may come in pieces of any size`() async throws {
            try await RunningGateway.run(hasMatcher: false) { gateway in
                let answer = try await gateway.raw(
                    "G", "ET /w", "rong HTTP/1.1\r\nHost: localhost\r\nConnec", "tion: close\r\n\r\n")
                #expect(answer.status == 404)
                let health = try await gateway.raw(
                    "GE", "T /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r", "\n")
                #expect(health.status == 200)
            }
        }

        @Test func `an upgrade to something else, or elsewhere, is answered as plain HTTP and the connection ends`()
            async throws
        {
            try await RunningGateway.run(hasMatcher: false) { gateway in
                let other = try await gateway.raw(
                    "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
                #expect(other.status == 200)
                let elsewhere = try await gateway.raw(
                    "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
                #expect(elsewhere.status == 200)
            }
        }

        @Test func `requests follow each other on one connection`() async throws {
            try await RunningGateway.run(hasMatcher: false) { gateway in
                let one = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
                let last = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                let answer = try await gateway.raw(one + one, last)
                #expect(answer.body.split(separator: "HTTP/1.1 200 OK").count == 3)
            }
        }

        @Test func `bytes that are not HTTP are refused`() async throws {
            try await RunningGateway.run(hasMatcher: false) { gateway in
                for text in ["\u{0}\u{1}\u{2}\r\n\r\n", "GET /ws HTTP/9.9\r\n\u{0}: x\r\n\r\n"] {
                    let answer = try await gateway.raw(text)
                    #expect(answer.status == 400)
                }
            }
        }

        @Test func `a silent connection is closed, and too many sockets are told so`() async throws {
            var limits = GatewayLimits(idleMillisecondsMax: 2_000)
            limits.socketsMax = 1
            try await RunningGateway.run(GatewayConfiguration(limits: limits), hasMatcher: false) { gateway in
                let silent = try await RawConnection.connect(port: gateway.port)
                _ = try await silent.readToEnd()
                let first = try await gateway.connect()
                _ = try await first.first(type: "welcome")
                let second = try await gateway.raw(
                    "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
                #expect(second.status == 503)
                #expect(second.body.contains(#""code":"busy""#))
                first.hangUp()
                try await eventually("the place is free again") {
                    (try? await TestSocket.connect(port: gateway.port)) != nil
                }
            }
        }

        @Test func `an address that others reach needs to be asked for`() {
            #expect(GatewayConfiguration(host: "0.0.0.0").fault?.contains("--allow-insecure") == true)
            #expect(GatewayConfiguration(host: "127.evil.example.com").fault != nil)
            #expect(GatewayConfiguration(host: "0.0.0.0", allowsInsecure: true).fault == nil)
            #expect(GatewayConfiguration(host: "127.0.0.1").fault == nil)
            #expect(GatewayConfiguration(host: "::1").fault == nil)
        }
    }
}
