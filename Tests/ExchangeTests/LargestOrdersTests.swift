import Exchange
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// Orders as large as the bounds allow, many of them in one candle.
@Suite struct LargestOrdersTests {
    /// Limits whose product is the most that there may be: all in the price, all in the amount, and half and half.
    private static let limits: [(amount: Int128, price: Int128)] = [
        (1_000_000_000_000_000, 1_000_000_000_000_000), (1_000_000_000_000_000_000, 1_000_000_000_000),
        (1_000_000_000_000, 1_000_000_000_000_000_000),
    ]

    private func entry(_ side: Side, _ amount: Int128, at price: Int128?, _ user: String) -> Entry {
        Entry(
            user: UserID(user), market: "BIG",
            action: .place(PlaceEntry(side: side, amount: whole(amount), price: price.map(whole))))
    }

    @Test(arguments: limits, [true, false])
    func `the largest orders are matched, summed up and verified`(
        limit: (amount: Int128, price: Int128), isDirect: Bool
    ) throws {
        let database = try TestDatabase()
        let connection = try database.connection(as: .node)
        try connection.execute(
            "SELECT pgbook.add_market('BIG', 1, 1, max_amount => $1, max_price => $2)", whole(limit.amount),
            whole(limit.price))
        let market = try #require(connection.markets().first)
        // Six trades of the largest order, and what rests of 40 more: sums beyond 64 and near 128 bits.
        var entries: [Entry] = []
        for _ in 0..<6 {
            entries.append(entry(.ask, limit.amount, at: limit.price, "bob"))
            entries.append(entry(.bid, limit.amount, at: limit.price, "ann"))
        }
        entries.append(entry(.ask, limit.amount, at: limit.price, "bob"))
        entries.append(entry(.bid, limit.amount, at: nil, "ann"))
        for _ in 0..<20 {
            entries.append(entry(.bid, limit.amount, at: limit.price - 1, "ann"))
            entries.append(entry(.ask, limit.amount, at: limit.price, "bob"))
        }
        if isDirect {
            let exchange = try DirectExchange(connection)
            let results = try (exchange.submit(entries) + exchange.finish()).flatMap { try $0.results }
            #expect(results.allSatisfy { $0.execution != nil })
        } else {
            for admission in try connection.enter(entries) {
                guard case .admitted = admission else { throw TestFault("\(admission)") }
            }
            let desk = Desk(database: database, connection: connection, market: market)
            while try desk.batch().run() != nil {}
        }
        let wanted =
            Notional(price: PriceTicks(Int64(limit.price)), amount: AmountLots(Int64(limit.amount))).rawValue * 7
        let notional = try connection.execute("SELECT sum(notional) FROM pgbook_data.candles_1m").one()
        #expect(try notional.decode(PostgresNumeric.self, at: 0).unscaled == wanted)
        let report = try Verification(connection).run(market)
        #expect(report.differences == [])
        #expect(report.trades == 7)
        // What people and programs read.
        let candles = try connection.lastCandles("BIG", interval: "1d", count: 10)
        #expect(candles.reduce(0) { $0 + $1.quoteVolume.unscaled } == wanted)
        let levels = try connection.levels(market, depth: 10)
        for side in Side.allCases { #expect(levels[side]?.first?.amount == limit.amount * 20) }
        #expect(try connection.bookLevels("BIG", depth: 10).count == 2)
    }

    @Test func `a larger order than the bounds allow is no order`() throws {
        let database = try TestDatabase()
        let connection = try database.connection(as: .node)
        try connection.execute("SELECT pgbook.add_market('BIG', 1, 1, max_amount => 1e15, max_price => 1e15)")
        for (amount, price) in [
            (1_000_000_000_000_001, 1), (Int128(Int64.max), 1), (Int128.max / 10, 1), (1, 1_000_000_000_000_001),
            (1, Int128(Int64.max)), (1, Int128.max / 10),
        ] as [(Int128, Int128)] {
            for entries in [[entry(.bid, amount, at: price, "ann")], [entry(.ask, amount, at: price, "ann")]] {
                guard case .refused(let rejection) = try connection.enter(entries)[0] else {
                    Issue.record("\(amount) at \(price) was taken")
                    continue
                }
                #expect([.tooLarge, .outsideBand].contains(rejection.code), "\(rejection)")
                let exchange = try DirectExchange(connection)
                let results = try (exchange.submit(entries) + exchange.finish()).flatMap { try $0.results }
                guard case .refused(let same)? = results.first?.admission else {
                    Issue.record("\(amount) at \(price) was executed")
                    continue
                }
                #expect(same == rejection)
            }
        }
    }

    @Test func `a sum that exceeds what its type holds is an error, not the end`() {
        func trade(_ id: Int64) -> Trade {
            Trade(
                id: TradeID(id), seq: Seq(id), time: Timestamp(0), takerOrder: OrderID(high: 0, low: 1),
                makerOrder: OrderID(high: 0, low: 2), takerUser: UserID("a"), makerUser: UserID("b"), takerSide: .bid,
                price: PriceTicks(.max), amount: AmountLots(.max), bestBid: nil, bestAsk: nil)
        }
        let error = #expect(throws: Overflow.self) { try Candle.candles(of: (1...6).map(trade)) }
        #expect(error?.description == "the candle of 1970-01-01T00:00:00.000000Z is more than can be counted")
    }
}
