import OrderBook
import Postgres
import Store
import TestRandom
import TestSupport

/// Commands of every kind in a narrow range of prices, the same for the same seed.
struct RandomFlow {
    private var random: SeededGenerator
    private var known: [OrderID] = []

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    private mutating func next(_ bound: Int) -> Int { random.below(bound) }
    private mutating func pick<T>(_ choices: [T]) -> T { random.pick(choices) }

    /// Enters one command; what the entrance refuses is as good as any other.
    mutating func give(to desk: Desk) {
        _ = try? desk.connection.enter([entry(desk.market)])
    }

    /// The next command; orders bring their ids, so that later ones can name them.
    mutating func entry(_ market: Market) -> Entry {
        let user = pick(["ann", "bob", "eve"])
        let action = action(user)
        var id: OrderID?
        if case .place = action {
            let fresh = OrderID(high: UInt64(known.count + 1), low: random.next())
            known.append(fresh)
            id = fresh
        }
        return Entry(id: id, user: UserID(user), market: market.symbol, action: action)
    }

    /// A number from 0 up to a bound.
    mutating func number(below bound: Int) -> Int { next(bound) }

    private mutating func action(_ user: String) -> Entry.Action {
        let target = known.isEmpty ? OrderID(high: 0, low: 0) : pick(known)
        switch next(20) {
        case 0...1: return .cancel(target: target)
        case 2: return .amend(target: target, amount: amount(), price: nil)
        case 3: return .amend(target: target, amount: amount(), price: price())
        case 4: return .reduce(target: target, by: amount())
        case 5: return .replace(target: target, open: amount(), price: price())
        case 6 where next(6) == 0: return .cancelAll(CancelAll(owner: UserID(user), side: pick([nil, .bid, .ask])))
        case 7 where next(8) == 0: return .halt
        case 8...10: return .resume
        default: return .place(place())
        }
    }

    private mutating func place() -> PlaceEntry {
        let isMarket = next(8) == 0
        let postOnly = !isMarket && next(8) == 0
        let timeInForce: TimeInForce =
            isMarket ? pick([.ioc, .fok]) : postOnly ? .gtc : pick([.gtc, .gtc, .gtc, .ioc, .fok])
        return PlaceEntry(
            side: pick([.bid, .ask]), amount: amount(), price: isMarket ? nil : price(), timeInForce: timeInForce,
            postOnly: postOnly,
            selfTradePrevention: pick([nil, nil, .decrementAndCancel, .cancelOldest, .cancelNewest, .cancelBoth]))
    }

    private mutating func amount() -> PostgresNumeric { whole(Int128(1 + next(9))) }
    private mutating func price() -> PostgresNumeric { whole(Int128(96 + next(9))) }
}
