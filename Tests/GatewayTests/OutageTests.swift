import Gateway
import Postgres
import TestSupport
import Testing
import Wire

extension GatewaySuites {
    /// The database goes away and comes back.
    @Suite struct OutageTests {
        @Test func `while connections are cut again and again, every order is entered once and reported`() async throws
        {
            try await RunningGateway.run { gateway in
                let (trader, watcher) = (try await gateway.connect(), try await gateway.connect())
                let orders = 300
                let cutter = try gateway.database.session()
                for number in 1...orders {
                    try await trader.send(
                        #"{"type":"add","security":"BTC-USD","side":"bid","amount":1,"price":\#(number),"clientOrderId":"\#(number)"}"#
                    )
                    guard number % 50 == 0 else { continue }
                    try await cutter.run { connection in
                        _ = try connection.execute(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                + "WHERE datname = current_database() AND pid <> pg_backend_pid()")
                    }
                    // The next cut meets connections that are at work again.
                    let answered = number - 25
                    try await eventually("order \(answered) is answered") {
                        trader.messages.contains { $0["clientOrderId"] == .string("\(answered)") }
                    }
                }
                for number in [1, 150, orders] {
                    _ = try await trader.first(
                        type: "order", ["clientOrderId": .string("\(number)"), "status": .string("open")])
                }
                try await eventually("all are reported") {
                    trader.messages.count { $0["status"] == .string("open") } == orders
                }
                _ = try await watcher.first(type: "aggOrderBook", ["seq": .number("\(orders)")])
                let errors = trader.messages.filter { $0["type"] == .string("error") }
                #expect(errors.isEmpty)
                let stored = try await cutter.run { connection in
                    try connection.execute("SELECT count(*), count(DISTINCT client_order_id) FROM pgbook_data.commands")
                        .map { try [$0.decode(Int64.self, at: 0), $0.decode(Int64.self, at: 1)] }
                }
                #expect(stored == [[Int64(orders), Int64(orders)]])
                try await eventually("it is ready again") { try await gateway.get("/ready").status == 200 }
            }
        }
    }
}
