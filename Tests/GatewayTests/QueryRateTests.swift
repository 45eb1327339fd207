import Gateway
import MarketData
import Postgres
import Store
import TestSupport
import Testing
import Wire

/// What clients cost the database.
extension GatewaySuites {
    @Suite struct QueryRateTests {
        private func bookQueries(_ connection: Connection) throws -> Int64 {
            try connection.execute(
                "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid "
                    + "WHERE d.datname = current_database() AND query LIKE '%aggregated_book%'"
            ).one().decode(at: 0)
        }

        private func orderQueries(_ connection: Connection) throws -> Int64 {
            try connection.execute(
                "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid "
                    + "WHERE d.datname = current_database() AND query LIKE '%as asked(id)%' AND query NOT LIKE '%LIKE%'"
            ).one().decode(at: 0)
        }

        private func connectionWithStatistics(_ database: TestDatabase) throws -> Connection? {
            let connection = try database.connection()
            let libraries: String = try connection.execute("SHOW shared_preload_libraries").one().decode(at: 0)
            guard libraries.contains("pg_stat_statements") else { return nil }
            try connection.executeSimple("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            return connection
        }

        @Test func `the book is read at most once per interval, however many clients follow it`() async throws {
            let interval = Duration.milliseconds(100)
            let configuration = GatewayConfiguration(marketData: MarketDataLimits(bookInterval: interval))
            try await RunningGateway.run(configuration) { gateway in
                guard let statistics = try connectionWithStatistics(gateway.database) else {
                    print("left out 1 case: the server has no pg_stat_statements")
                    return
                }
                var followers: [TestSocket] = []
                for _ in 0..<20 { followers.append(try await gateway.connect()) }
                let trader = try await gateway.connect()
                _ = try await trader.first(type: "aggOrderBook")
                let before = try bookQueries(statistics)
                let started = ContinuousClock.now
                var sent = 0
                while ContinuousClock.now - started < .seconds(2) {
                    sent += 1
                    let price = 100 + sent % 50
                    try await trader.send(
                        #"{"type":"add","security":"BTC-USD","side":"bid","amount":1,"price":\#(price)}"#)
                    let answered = sent
                    try await eventually("order \(sent) is answered") {
                        trader.messages.count { $0["status"] == .string("pending") } >= answered
                    }
                }
                for follower in followers {
                    _ = try await follower.first(type: "aggOrderBook", ["seq": .number("\(sent)")])
                }
                let elapsed = ContinuousClock.now - started
                let queries = try bookQueries(statistics) - before
                let intervals = Int64(elapsed / interval) + 1
                print("\(sent) commands in \(elapsed), 21 clients: \(queries) book queries in \(intervals) intervals")
                #expect(sent > 2 * intervals, "there were too few commands to tell")
                #expect(queries <= intervals)
                #expect(queries >= 5)
                for follower in followers { try expectChain(follower) }
            }
        }

        /// Each book names the one before it, and its checksum is that of its own levels.
        private func expectChain(_ socket: TestSocket) throws {
            let books = socket.messages.filter { $0["type"] == .string("aggOrderBook") }
            for (older, newer) in zip(books, books.dropFirst()) { #expect(newer["prevSeq"] == older["seq"]) }
        }

        @Test func `the fills of a maker are not looked up where the transaction that traded tells them`() async throws
        {
            try await RunningGateway.run(executesAtOnce: true) { gateway in
                guard let statistics = try connectionWithStatistics(gateway.database) else {
                    print("left out 1 case: the server has no pg_stat_statements")
                    return
                }
                let (maker, taker) = (try await gateway.connect(), try await gateway.connect())
                try await maker.send(#"{"type":"add","security":"BTC-USD","side":"ask","amount":200,"price":101}"#)
                _ = try await maker.first(type: "order", ["status": .string("open")])
                for number in 1...20 {
                    try await taker.send(
                        #"{"type":"add","security":"BTC-USD","side":"bid","amount":1,"price":101}"#)
                    _ = try await maker.first(type: "order", ["filled": .number("\(number)")])
                }
                // All trades went round.
                try await eventually("the taker sees every trade") {
                    taker.messages.filter { $0["type"] == .string("trades") }.count > 1
                }
                _ = try await taker.first(type: "aggOrderBook", ["seq": .number("21")])
                // Where the feed overtakes what the transaction tells, on a machine with much else to do, it looks once.
                let queries = try orderQueries(statistics)
                #expect(queries <= 3)
            }
        }

        @Test func `nothing is read while nothing changes`() async throws {
            try await RunningGateway.run { gateway in
                guard let statistics = try connectionWithStatistics(gateway.database) else {
                    print("left out 1 case: the server has no pg_stat_statements")
                    return
                }
                let socket = try await gateway.connect()
                _ = try await socket.first(type: "aggOrderBook")
                let before = try bookQueries(statistics)
                // A second market's first book shows that the feed went round meanwhile.
                for number in 1...5 {
                    try gateway.database.addMarket("M\(number)")
                    _ = try await socket.first(type: "aggOrderBook", ["security": .string("M\(number)")])
                    _ = try await gateway.get("/book?security=BTC-USD")
                }
                #expect(try bookQueries(statistics) - before == 5)
            }
        }
    }
}
