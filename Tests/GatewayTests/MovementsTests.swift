import OrderBook
import Store
import Testing

@testable import Gateway

@Suite struct MovementsTests {
    private let market = MarketNumber(rawValue: 1)
    private func id(_ number: UInt64) -> OrderID { OrderID(high: 0, low: number) }

    private func move(_ before: Int64, _ after: Int64) -> MarketMove {
        MarketMove(market: market, before: Seq(before), after: Seq(after), orders: [])
    }

    private func trade(_ seq: Int64, maker: UInt64) -> Trade {
        Trade(
            id: TradeID(seq), seq: Seq(seq), time: Timestamp(seq), takerOrder: id(0), makerOrder: id(maker),
            takerUser: UserID("ann"), makerUser: UserID("bob"), takerSide: .bid, price: PriceTicks(1),
            amount: AmountLots(1), bestBid: nil, bestAsk: nil)
    }

    /// Looks until nothing is in doubt: the makers to be looked up, whether others executed something, how many looks.
    private func settle(_ movements: inout Movements) -> (makers: [OrderID], isCertain: Bool, looks: Int) {
        var makers: [OrderID] = []
        for look in 1...1000 {
            let untold = movements.takeUntold()
            makers += untold.makers
            if untold.isCertain || !movements.isUnsettled { return (makers, untold.isCertain, look) }
        }
        return (makers, false, 1000)
    }

    @Test func `what nobody tells is looked up at the first look`() {
        var movements = Movements()
        movements.seen(market, at: Seq(5), [trade(4, maker: 1)])
        #expect(settle(&movements) == ([id(1)], true, 1))
        movements.seen(market, at: Seq(7), [trade(7, maker: 2)])
        #expect(settle(&movements) == ([id(2)], true, 1))
        movements.seen(market, at: Seq(7), [])
        #expect(!movements.isUnsettled)
    }

    @Test func `what was told is not looked up, whether it was told before it was seen or after`() {
        var movements = Movements()
        movements.seen(market, at: Seq(5), [])
        _ = settle(&movements)
        movements.told(move(5, 8))
        movements.seen(market, at: Seq(8), [trade(7, maker: 1)])
        #expect(!movements.isUnsettled)
        #expect(movements.areTold)
        movements.seen(market, at: Seq(10), [trade(9, maker: 2)])
        #expect(movements.takeUntold() == .init())
        #expect(movements.isUnsettled)
        movements.told(move(8, 10))
        #expect(movements.takeUntold() == .init())
        #expect(!movements.isUnsettled)
    }

    @Test func `what others executed in between is looked up, after some looks, and nothing else`() {
        var movements = Movements()
        movements.seen(market, at: Seq(5), [])
        _ = settle(&movements)
        movements.told(move(5, 8))
        movements.told(move(10, 12))
        movements.seen(market, at: Seq(12), [trade(6, maker: 1), trade(9, maker: 2), trade(11, maker: 3)])
        let (makers, isCertain, looks) = settle(&movements)
        #expect(makers == [id(2)])
        #expect(isCertain)
        #expect(looks > 1)
        #expect(!movements.areTold)
    }

    @Test func `a trade newer than the head it came with counts`() {
        var movements = Movements()
        movements.seen(market, at: Seq(5), [])
        _ = settle(&movements)
        movements.seen(market, at: Seq(5), [trade(6, maker: 1)])
        #expect(settle(&movements) == ([id(1)], true, 1))
    }
}
