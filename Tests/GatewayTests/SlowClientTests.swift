import Gateway
import MarketData
import Postgres
import TestSupport
import Testing
import Wire

/// A client that does not read as fast as the markets move.
extension GatewaySuites {
    @Suite struct SlowClientTests {
        private func place(
            _ gateway: RunningGateway, _ orders: [(side: String, amount: Int, price: Int)]
        ) async throws {
            try await gateway.database.session().run { connection in
                for order in orders {
                    try connection.execute(
                        "SELECT pgbook.place_order('BTC-USD', $1, $2::bigint::numeric, $3::bigint::numeric, user_id => 'u')",
                        order.side, order.amount, order.price)
                }
            }
        }

        private func configuration(outboxBytesMax: Int) -> GatewayConfiguration {
            GatewayConfiguration(
                limits: GatewayLimits(
                    sendBufferBytes: 8_192, outboxBytesMax: outboxBytesMax, outboxMillisecondsMax: 100),
                marketData: MarketDataLimits(bookInterval: .milliseconds(2)))
        }

        @Test func `a slow client loses its oldest books, and none of its order events`() async throws {
            try await RunningGateway.run(configuration(outboxBytesMax: 1 << 20)) { gateway in
                let (slow, quick) = (try await gateway.connect(), try await gateway.connect())
                // A book of many levels is some kilobytes.
                try await place(gateway, (1...80).map { (side: "bid", amount: 1, price: $0) })
                _ = try await slow.first(type: "aggOrderBook", ["seq": .number("80")])
                try await slow.setReads(false)
                let events = 60
                for number in 0..<events {
                    try await slow.send(
                        #"{"type":"add","security":"BTC-USD","side":"ask","amount":1,"price":\#(1_000 + number)}"#)
                    _ = try await quick.first(type: "aggOrderBook", ["seq": .number("\(81 + number)")])
                }
                try await slow.setReads(true)
                _ = try await slow.first(type: "aggOrderBook", ["seq": .number("\(80 + events)")])
                try await eventually("every order event arrives") {
                    slow.messages.count { $0["status"] == .string("open") } == events
                }
                let books = { (socket: TestSocket) in
                    socket.messages.filter { $0["type"] == .string("aggOrderBook") }.compactMap {
                        $0["seq"]?.text.flatMap { Int($0) }
                    }
                }
                print("books to the quick client: \(books(quick).count), to the slow one: \(books(slow).count)")
                #expect(books(slow).count < books(quick).count)
                #expect(books(slow) == books(slow).sorted(), "never an older book after a newer one")
            }
        }

        @Test func `a client too far behind is cut off, and the others are not`() async throws {
            try await RunningGateway.run(configuration(outboxBytesMax: 20_000)) { gateway in
                let (slow, quick) = (try await gateway.connect(), try await gateway.connect())
                _ = try await slow.first(type: "aggOrderBook")
                try await slow.setReads(false)
                let trades = 2_000
                try await place(gateway, [(side: "ask", amount: trades, price: 100)])
                try await place(gateway, (0..<trades).map { _ in (side: "bid", amount: 1, price: 100) })
                _ = try await quick.first("the last trade") { message in
                    message["trades"]?.elements.contains { $0["id"] == .number("\(trades)") } == true
                }
                try await eventually("the slow one is cut off") {
                    try await gateway.get("/metrics").body.contains("pgbook_sockets_cut_off_total 1\n")
                }
                try await eventually("its place is free") {
                    try await gateway.get("/metrics").body.contains("pgbook_sockets 1\n")
                }
                #expect(!quick.isClosed)
            }
        }
    }
}
