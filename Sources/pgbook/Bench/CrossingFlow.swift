import OrderBook
import Replay

/// Half of the orders rest, and nearly half are filled at once by what rests; the books stay about as deep as they are.
///
/// A taker meets two makers on average. With half of the orders takers there cannot be more in a book that keeps its depth:
/// every trade completes at least one order, so that there are no more trades than orders.
struct CrossingFlow: Flow {
    private var markets: [CrossingMarket]
    private var identifiers: RunIdentifiers
    private var left: Int

    /// - Parameters:
    ///   - orders: of all markets together, which get them in turn.
    ///   - run: tells the ids of runs into one database apart.
    init(orders: Int, markets marketCount: Int = 1, seed: UInt64, run: UInt64) {
        markets = (0..<marketCount).map { CrossingMarket(seed: seed &+ UInt64($0)) }
        identifiers = RunIdentifiers(run: run)
        left = orders
        nextMarket = 0
    }

    private var nextMarket: Int

    var marketCount: Int { markets.count }

    mutating func next() -> FlowOrder? {
        guard left > 0 else { return nil }
        left -= 1
        let market = nextMarket
        nextMarket = (market + 1) % markets.count
        let (user, place) = markets[market].next()
        return FlowOrder(market: market, user: user, id: identifiers.next(), action: .place(place))
    }
}

/// The orders of one market, around a price that stays.
private struct CrossingMarket: Sendable {
    /// In ticks. Makers' prices lie within `levels` of it.
    static let middle: Int64 = 1_000_000
    static let levels: Int64 = 16
    /// Lots of one order.
    static let amounts: ClosedRange<Int64> = 75...125
    /// Lots on one side that takers steer towards: 64 orders of medium size.
    static let restingAimed: Int64 = 6_400

    private var random: SplitMix
    /// Lots on each side, bids first: takers are filled whole, so that no matching is needed to know them.
    private var resting: (bid: Int64, ask: Int64) = (0, 0)

    init(seed: UInt64) { random = SplitMix(seed: seed) }

    mutating func next() -> (user: UserID, place: Place) {
        let user = benchUsers[Int(random.next() % UInt64(benchUsers.count))]
        let side: Side = random.next() & 1 == 0 ? .bid : .ask
        let amount = random.next(in: Self.amounts)
        let takes = random.next() & 31 < 15
        return (user, takes ? taker(side, amount) ?? maker(side, amount) : maker(side, amount))
    }

    private mutating func maker(_ side: Side, _ amount: Int64) -> Place {
        let away = random.next(in: 1...Self.levels)
        switch side {
        case .bid: resting.bid += amount
        case .ask: resting.ask += amount
        }
        let price = Self.middle + (side == .bid ? -away : away)
        return Place(side: side, price: PriceTicks(price), amount: AmountLots(amount))
    }

    /// Priced through all that rests; one in eight is a market order. Nil while too little rests. The deeper the other
    /// side the larger the amount, which is what keeps the depth.
    private mutating func taker(_ side: Side, _ amount: Int64) -> Place? {
        let available = side == .bid ? resting.ask : resting.bid
        let amount = amount * min(max(available, Self.restingAimed / 2), Self.restingAimed * 2) / Self.restingAimed
        guard available >= Self.restingAimed / 4, available > amount else { return nil }
        switch side {
        case .bid: resting.ask -= amount
        case .ask: resting.bid -= amount
        }
        let isMarketOrder = random.next() & 7 == 0
        let price = Self.middle + (side == .bid ? Self.levels : -Self.levels)
        return Place(
            side: side, price: isMarketOrder ? nil : PriceTicks(price), amount: AmountLots(amount),
            timeInForce: isMarketOrder ? .ioc : .gtc)
    }
}

/// Orders far from the touch of a `CrossingFlow` in the same market, spread over many prices: no taker reaches them.
struct RestingFlow: Flow {
    private var random: SplitMix
    private var identifiers: RunIdentifiers
    private var left: Int

    init(orders: Int, seed: UInt64, run: UInt64) {
        random = SplitMix(seed: seed)
        identifiers = RunIdentifiers(run: run)
        left = orders
    }

    mutating func next() -> FlowOrder? {
        guard left > 0 else { return nil }
        left -= 1
        let user = benchUsers[Int(random.next() % UInt64(benchUsers.count))]
        let side: Side = left & 1 == 0 ? .bid : .ask
        let away = random.next(in: 1_000...400_000)
        let price = PriceTicks(CrossingMarket.middle + (side == .bid ? -away : away))
        let amount = AmountLots(random.next(in: CrossingMarket.amounts))
        return FlowOrder(
            market: 0, user: user, id: identifiers.next(),
            action: .place(Place(side: side, price: price, amount: amount)))
    }
}

/// Who the orders are from.
let benchUsers = (10..<74).map { UserID("trader-\($0)") }
