import Gateway
import Postgres
import TestSupport
import Testing
import Wire

extension GatewaySuites {
    @Suite struct WebSocketTests {
        private func add(
            _ side: String, _ amount: String, _ price: String?, security: String = "BTC-USD", more: String = ""
        ) -> String {
            let price = price.map { #","price":\#($0)"# } ?? ""
            return #"{"type":"add","security":"\#(security)","side":"\#(side)","amount":\#(amount)\#(price)\#(more)}"#
        }

        @Test func `a socket is welcomed with an id of its own, then gets the books and the last trades`() async throws
        {
            try await RunningGateway.run(markets: ["BTC-USD", "ETH-USD"]) { gateway in
                let (one, two) = (try await gateway.connect(), try await gateway.connect())
                _ = try await one.first(type: "aggOrderBook", ["security": .string("ETH-USD")])
                let messages = one.messages
                #expect(messages.first?["type"] == .string("welcome"))
                #expect(messages.count { $0["type"] == .string("aggOrderBook") } == 2)
                let other = try await two.first(type: "welcome")
                #expect(messages.first?["userId"] != other["userId"])
                #expect(messages.first?["userId"]?.text?.hasPrefix("user#") == true)
            }
        }

        @Test func `two clients trade, and both see the trade, the book and their own orders`() async throws {
            try await RunningGateway.run { gateway in
                let (maker, taker) = (try await gateway.connect(), try await gateway.connect())
                try await maker.send(add("ask", "2", "101.5", more: #","clientOrderId":"m""#))
                let pending = try await maker.first(type: "order", ["clientOrderId": .string("m")])
                #expect(pending["status"] == .string("pending"))
                _ = try await maker.first(type: "order", ["status": .string("open"), "remaining": .number("2")])
                let book = try await taker.first(type: "aggOrderBook", ["seq": .number("1")])
                #expect(
                    book["aggOrderBook"]?["ask"]?.elements
                        == [
                            .object([
                                .init(key: "price", value: .number("101.5")), .init(key: "amount", value: .number("2")),
                                .init(key: "total", value: .number("203")),
                            ])
                        ])

                try await taker.send(add("bid", "0.5", nil))
                for socket in [maker, taker] {
                    let trades = try await socket.first("the trade") {
                        $0["type"] == .string("trades") && $0["trades"]?.elements.isEmpty == false
                    }
                    let trade = try #require(trades["trades"]?.elements.first)
                    #expect(trade["price"] == .number("101.5"))
                    #expect(trade["amount"] == .number("0.5"))
                    #expect(trade["total"] == .number("50.75"))
                    #expect(trade["side"] == .string("bid"))
                    #expect(trade["id"] == .number("1"))
                    let takerID = try await taker.first(type: "welcome")["userId"]
                    #expect(trade["userId"] == takerID)
                    let after = try await socket.first(type: "aggOrderBook", ["seq": .number("2")])
                    #expect(after["prevSeq"] == .number("1"))
                }
                let filled = try await taker.first(type: "order", ["status": .string("filled")])
                #expect(filled["filled"] == .number("0.5"))
                let partly = try await maker.first(type: "order", ["filled": .number("0.5")])
                #expect(partly["status"] == .string("open"))
                #expect(partly["remaining"] == .number("1.5"))
                #expect(partly["id"] == pending["id"])
            }
        }

        @Test func `an order's events do not wait for the flush of books and trades`() async throws {
            let limits = GatewayLimits(flushIntervalMilliseconds: 3_600_000)
            try await RunningGateway.run(GatewayConfiguration(limits: limits)) { gateway in
                let socket = try await gateway.connect()
                for number in 1...3 {
                    try await socket.send(add("bid", "1", "100", more: #","clientOrderId":"\#(number)""#))
                    _ = try await socket.first(
                        type: "order", ["clientOrderId": .string("\(number)"), "status": .string("open")])
                }
            }
        }

        @Test func `a client that comes later gets the book and the trades from before`() async throws {
            try await RunningGateway.run { gateway in
                let early = try await gateway.connect()
                try await early.send(add("ask", "2", "100"))
                try await early.send(add("bid", "1", "100"))
                _ = try await early.first(type: "aggOrderBook", ["seq": .number("2")])
                let late = try await gateway.connect()
                let trades = try await late.first(type: "trades")
                #expect(trades["trades"]?.elements.count == 1)
                let book = try await late.first(type: "aggOrderBook")
                #expect(book["seq"] == .number("2"))
            }
        }

        @Test func `orders are amended and cancelled by their owner alone`() async throws {
            try await RunningGateway.run { gateway in
                let (owner, other) = (try await gateway.connect(), try await gateway.connect())
                try await owner.send(add("bid", "5", "90"))
                let id = try #require(try await owner.first(type: "order", ["status": .string("open")])["id"]?.text)

                try await owner.send(#"{"type":"amend","id":"\#(id)","amount":"3"}"#)
                _ = try await owner.first(type: "order", ["remaining": .number("3"), "id": .string(id)])
                try await other.send(#"{"type":"delete","id":"\#(id)"}"#)
                let refusal = try await other.first(type: "error")
                #expect(refusal["code"] == .string("not_yours"))
                #expect(refusal["id"] == .string(id))

                try await owner.send(#"{"type":"delete","id":"\#(id)"}"#)
                let cancelled = try await owner.first(type: "order", ["status": .string("cancelled")])
                #expect(cancelled["remaining"] == .number("0"))
                try await owner.send(#"{"type":"delete","id":"\#(id)"}"#)
                let closed = try await owner.first(type: "error")
                #expect(closed["code"] == .string("already_closed"))
            }
        }

        @Test func `cancelAll cancels the user's own orders of one side, and says when it is done`() async throws {
            try await RunningGateway.run { gateway in
                let (one, two) = (try await gateway.connect(), try await gateway.connect())
                for price in ["90", "91"] { try await one.send(add("bid", "1", price)) }
                try await one.send(add("ask", "1", "110"))
                try await two.send(add("bid", "1", "89"))
                _ = try await one.first(type: "aggOrderBook", ["seq": .number("4")])
                try await one.send(#"{"type":"cancelAll","security":"BTC-USD","side":"bid"}"#)
                _ = try await one.first(type: "cancelledAll")
                try await eventually("both bids are reported") {
                    one.messages.count { $0["status"] == .string("cancelled") } == 2
                }
                let book = try await one.first(type: "aggOrderBook", ["seq": .number("5")])
                #expect(book["aggOrderBook"]?["bid"]?.elements.count == 1)
                #expect(book["aggOrderBook"]?["ask"]?.elements.count == 1)
            }
        }

        @Test func `orders cancelled elsewhere and orders that expire are reported to their socket`() async throws {
            try await RunningGateway.run { gateway in
                let socket = try await gateway.connect()
                try await socket.send(add("bid", "1", "90"))
                let id = try #require(try await socket.first(type: "order", ["status": .string("open")])["id"]?.text)
                let user = try #require(try await socket.first(type: "welcome")["userId"]?.text)
                try gateway.database.connection().execute(
                    "SELECT pgbook.cancel_order($1::text::uuid, user_id => $2)", id, user)
                _ = try await socket.first(type: "order", ["status": .string("cancelled"), "id": .string(id)])

                let now: Int64 = try gateway.database.connection().execute(
                    "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
                ).one().decode(at: 0)
                try await socket.send(add("bid", "1", "91", more: #","timeInForce":"gtd","expires":\#(now + 700)"#))
                _ = try await socket.first(type: "order", ["status": .string("expired")])
            }
        }

        @Test func `a retry with the same client order id returns the original order`() async throws {
            try await RunningGateway.run { gateway in
                let socket = try await gateway.connect()
                let order = add("bid", "1", "90", more: #","clientOrderId":"once""#)
                try await socket.send(order)
                let first = try await socket.first(type: "order", ["status": .string("open")])
                try await socket.send(order)
                try await eventually("the retry is answered") {
                    socket.messages.count { $0["status"] == .string("open") } == 2
                }
                let ids = Set(socket.messages.filter { $0["type"] == .string("order") }.map { $0["id"]?.text })
                #expect(ids == [first["id"]?.text])
                #expect(try gateway.commandCount() == 1)

                try await socket.send(add("bid", "2", "90", more: #","clientOrderId":"once""#))
                let error = try await socket.first(type: "error")
                #expect(error["code"] == .string("duplicate"))
                #expect(error["field"] == .string("clientOrderId"))
                #expect(error["clientOrderId"] == .string("once"))
            }
        }

        @Test func `orders are cancelled on disconnect where that was asked for, and stay where it was not`()
            async throws
        {
            try await RunningGateway.run { gateway in
                let (leaver, stayer, watcher) = (
                    try await gateway.connect(), try await gateway.connect(), try await gateway.connect()
                )
                try await leaver.send(#"{"type":"cancelOnDisconnect"}"#)
                _ = try await leaver.first(type: "cancelOnDisconnect", ["enabled": .bool(true)])
                try await leaver.send(add("bid", "1", "90"))
                try await stayer.send(add("bid", "1", "80"))
                _ = try await leaver.first(type: "order", ["status": .string("open")])
                _ = try await stayer.first(type: "order", ["status": .string("open")])
                leaver.hangUp()
                stayer.hangUp()
                let book = try await watcher.first(type: "aggOrderBook", ["seq": .number("3")])
                let bids = book["aggOrderBook"]?["bid"]?.elements ?? []
                #expect(bids.map { $0["price"] } == [.number("80")])
            }
        }

        @Test func `a subscription replaces what was followed before`() async throws {
            try await RunningGateway.run(markets: ["BTC-USD", "ETH-USD"]) { gateway in
                let socket = try await gateway.connect()
                _ = try await socket.first(type: "aggOrderBook", ["security": .string("ETH-USD")])
                try await socket.send(#"{"type":"subscribe","securities":["ETH-USD"]}"#)
                _ = try await socket.first(type: "subscribed")
                let before = socket.messages.count
                try await socket.send(add("bid", "1", "90"))
                try await socket.send(add("bid", "1", "90", security: "ETH-USD"))
                _ = try await socket.first(type: "aggOrderBook", ["security": .string("ETH-USD"), "seq": .number("1")])
                let books = socket.messages.dropFirst(before).filter { $0["type"] == .string("aggOrderBook") }
                #expect(!books.contains { $0["security"] == .string("BTC-USD") })
                try await socket.send(#"{"type":"subscribe","securities":["NONE"]}"#)
                let error = try await socket.first(type: "error")
                #expect(error["code"] == .string("unknown_market"))
            }
        }

        @Test func `a market that is added later is followed from its beginning`() async throws {
            try await RunningGateway.run { gateway in
                let socket = try await gateway.connect()
                try gateway.database.addMarket("NEW-USD")
                _ = try await socket.first(type: "aggOrderBook", ["security": .string("NEW-USD")])
                try await socket.send(add("bid", "1", "90", security: "NEW-USD"))
                _ = try await socket.first(type: "aggOrderBook", ["security": .string("NEW-USD"), "seq": .number("1")])
            }
        }

        @Test func `a token gives a lasting user id, and a wrong one gives nothing`() async throws {
            let configuration = GatewayConfiguration(port: 0, tokens: ["secret": "ann"])
            try await RunningGateway.run(configuration) { gateway in
                let socket = try await gateway.connect()
                try await socket.send(#"{"type":"auth","token":"wrong"}"#)
                #expect(try await socket.first(type: "error")["code"] == .string("unauthorized"))
                try await socket.send(#"{"type":"auth","token":"secret"}"#)
                _ = try await socket.first(type: "welcome", ["userId": .string("ann")])
                try await socket.send(add("bid", "1", "90"))
                _ = try await socket.first(type: "order", ["status": .string("open")])
                let user: String = try gateway.database.connection().execute("SELECT user_id FROM pgbook_data.commands")
                    .one().decode(at: 0)
                #expect(user == "ann")
            }
        }

        @Test func `a client that answers no ping is cut off`() async throws {
            let limits = GatewayLimits(pingIntervalMilliseconds: 50)
            try await RunningGateway.run(GatewayConfiguration(limits: limits), hasMatcher: false) { gateway in
                let silent = try await gateway.connect()
                try await eventually("it is cut off") { silent.isClosed }
            }
        }

        @Test func `graceful shutdown closes every socket with 1001`() async throws {
            try await RunningGateway.run { gateway in
                let socket = try await gateway.connect()
                _ = try await socket.first(type: "welcome")
                await gateway.shutDown()
                try await eventually("the socket is told") { socket.closeCode == 1001 }
            }
        }
    }
}
