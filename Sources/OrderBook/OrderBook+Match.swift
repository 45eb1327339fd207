/// An order on its way through the other side of the book.
struct Taker: Sendable {
    let id: OrderID
    let user: Int32
    let side: Side
    /// The worst price it accepts, in the key order of the other side; the least key for a market order.
    let limitKey: Int64
    let prevention: SelfTradePrevention?
    var open: AmountLots
    var filled: AmountLots = .zero
    var dropped: AmountLots = .zero
    var notional: Notional = .zero
    /// Self-trade prevention ended it.
    var isPrevented = false

    init(
        id: OrderID, user: Int32, side: Side, price: PriceTicks?, open: AmountLots, prevention: SelfTradePrevention?
    ) {
        self.id = id
        self.user = user
        self.side = side
        self.limitKey = price.map { side == .bid ? -$0.rawValue : $0.rawValue } ?? Int64.min
        self.prevention = prevention
        self.open = open
    }

    init(_ place: Place, id: OrderID, user: Int32) {
        self.init(
            id: id, user: user, side: place.side, price: place.price, open: place.amount,
            prevention: place.selfTradePrevention)
    }
}

extension OrderBook {
    /// Trades the taker with the orders of the other side, best price first and the earliest at a price first, until it
    /// is filled, the price limit is reached, the side is empty, or self-trade prevention ends it.
    mutating func match(_ taker: inout Taker) {
        if taker.side == .bid {
            guard asks.first != none else { return }
            let ownBest = bestPrice(of: bids)
            while taker.open > .zero, !taker.isPrevented, let maker = nextMaker(asks, taker) {
                meet(maker, &taker, ownBest)
            }
        } else {
            guard bids.first != none else { return }
            let ownBest = bestPrice(of: asks)
            while taker.open > .zero, !taker.isPrevented, let maker = nextMaker(bids, taker) {
                meet(maker, &taker, ownBest)
            }
        }
    }

    /// Whether an order would meet another one within its price limit.
    func wouldCross(_ taker: Taker) -> Bool {
        (taker.side == .bid ? nextMaker(asks, taker) : nextMaker(bids, taker)) != nil
    }

    @inline(__always)
    private func nextMaker(_ side: borrowing BookSide, _ taker: borrowing Taker) -> Int32? {
        let level = side.levels.best
        guard level != none else { return nil }
        let key = side.levels.nodes[Int(level)].key
        guard key >= taker.limitKey else { return nil }
        let maker = side.levels.nodes[Int(level)].head
        precondition(
            side.horizon.contains(key: key, priority: pool.slots[Int(maker)].priority),
            "matching ran past what is loaded: shortage(for:) was not asked")
        return maker
    }

    @inline(__always)
    private mutating func meet(_ maker: Int32, _ taker: inout Taker, _ ownBest: PriceTicks?) {
        if let prevention = taker.prevention, pool.slots[Int(maker)].user == taker.user {
            prevent(prevention, maker, &taker)
        } else {
            trade(maker, &taker, ownBest)
        }
    }

    private mutating func trade(_ maker: Int32, _ taker: inout Taker, _ ownBest: PriceTicks?) {
        let order = pool.slots[Int(maker)]
        let amount = min(taker.open, order.open)
        let notional = Notional(price: order.price, amount: amount)
        state.tradeID.rawValue += 1
        state.lastPrice = order.price
        journal.trades.append(
            Trade(
                id: state.tradeID, seq: state.seq, time: state.clock, takerOrder: taker.id, makerOrder: order.id,
                takerUser: users.names[Int(taker.user)], makerUser: users.names[Int(order.user)],
                takerSide: taker.side, price: order.price, amount: amount,
                bestBid: taker.side == .bid ? ownBest : order.price,
                bestAsk: taker.side == .bid ? order.price : ownBest))
        taker.open -= amount
        taker.filled += amount
        taker.notional += notional
        pool.slots[Int(maker)].filled += amount
        pool.slots[Int(maker)].notional += notional
        reduceLevel(of: maker, by: amount)
        if amount == order.open { remove(maker, reason: .filled) } else { changed(maker) }
    }

    /// What happens instead of a trade of a user with itself.
    private mutating func prevent(_ prevention: SelfTradePrevention, _ maker: Int32, _ taker: inout Taker) {
        switch prevention {
        case .decrementAndCancel:
            let makerOpen = pool.slots[Int(maker)].open
            let amount = min(taker.open, makerOpen)
            taker.open -= amount
            taker.dropped += amount
            pool.slots[Int(maker)].dropped += amount
            reduceLevel(of: maker, by: amount)
            if amount == makerOpen { remove(maker, reason: .prevented) } else { changed(maker) }
        case .cancelOldest:
            remove(maker, reason: .prevented)
        case .cancelNewest:
            taker.isPrevented = true
        case .cancelBoth:
            remove(maker, reason: .prevented)
            taker.isPrevented = true
        }
    }

    /// Keeps the sum of a level right when an order in it gets smaller.
    mutating func reduceLevel(of slot: Int32, by amount: AmountLots) {
        let level = Int(pool.slots[Int(slot)].level)
        if pool.slots[Int(slot)].side == .bid {
            bids.levels.nodes[level].amount -= Int128(amount.rawValue)
        } else {
            asks.levels.nodes[level].amount -= Int128(amount.rawValue)
        }
    }
}
