import Exchange
import Gateway
import Postgres
import Store
import TestSupport
import Testing
import Wire

extension GatewaySuites {
    /// Commands that are executed by the transaction that logs them.
    @Suite struct ExecutedAtOnceTests {
        private func run(_ body: @escaping @Sendable (RunningGateway) async throws -> Void) async throws {
            try await RunningGateway.run(executesAtOnce: true) { gateway in
                // Until the feed has met the market its orders are answered as pending.
                _ = try await gateway.connect().first(type: "aggOrderBook")
                try await body(gateway)
            }
        }

        @Test func `a socket hears of its order once, with what became of it`() async throws {
            try await run { gateway in
                let (maker, taker) = (try await gateway.connect(), try await gateway.connect())
                try await maker.send(#"{"type":"add","security":"BTC-USD","side":"ask","amount":2,"price":101}"#)
                _ = try await maker.first(type: "order", ["status": .string("open"), "remaining": .number("2")])
                try await taker.send(
                    #"{"type":"add","security":"BTC-USD","side":"bid","amount":0.5,"price":101,"clientOrderId":"t"}"#)
                let order = try await taker.first(type: "order")
                #expect(order["status"] == .string("filled"))
                #expect(order["filled"] == .number("0.5"))
                #expect(order["clientOrderId"] == .string("t"))
                _ = try await maker.first(type: "order", ["filled": .number("0.5"), "remaining": .number("1.5")])
                let statuses = maker.messages.filter { $0["type"] == .string("order") }.map { $0["status"] }
                #expect(statuses == [.string("open"), .string("open")])
            }
        }

        @Test func `cancels and retries are answered from the tables`() async throws {
            try await run { gateway in
                let socket = try await gateway.connect()
                let add =
                    #"{"type":"add","security":"BTC-USD","side":"ask","amount":2,"price":101,"clientOrderId":"c"}"#
                try await socket.send(add)
                let placed = try await socket.first(type: "order", ["status": .string("open")])
                try await socket.send(add)
                try await eventually("the retry is answered") {
                    socket.messages.count { $0["type"] == .string("order") && $0["id"] == placed["id"] } == 2
                }
                try await socket.send(#"{"type":"delete","id":"\#(placed["id"]?.text ?? "")"}"#)
                let gone = try await socket.first(type: "order", ["status": .string("cancelled")])
                #expect(gone["id"] == placed["id"])
                try await socket.send(#"{"type":"delete","id":"\#(placed["id"]?.text ?? "")"}"#)
                let error = try await socket.first(type: "error")
                #expect(error["code"] == .string("already_closed"))
            }
        }

        @Test func `HTTP answers with what became of the order`() async throws {
            try await run { gateway in
                let placed = try await gateway.request(
                    "POST", "/orders",
                    body: #"{"userId":"ann","security":"BTC-USD","side":"bid","amount":"2","clientOrderId":"h"}"#)
                #expect(placed.status == 200)
                let order = try JSONValue.parse(Array(placed.body.utf8), limits: WireLimits())
                #expect(order["status"] == .string("refused"))
                #expect(order["reason"] == .string("no_liquidity"))
                #expect(order["clientOrderId"] == .string("h"))
            }
        }
    }
}
