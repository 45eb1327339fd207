extension OrderBook {
    /// A side of which more rows must be loaded before this command can be executed as the complete book would; nil
    /// when nothing is missing. Ask again after each load.
    ///
    /// A taker needs every order it may consume, and, if it may trade, the best price of its own side as well, for trades
    /// record both.
    public func shortage(for command: Command) -> Side? {
        if bids.horizon.isComplete, asks.horizon.isComplete { return nil }
        let clock = max(state.clock, command.time)
        switch command.action {
        case .place(let place):
            guard refusal(of: place, id: command.id, clock: clock) == nil else { return nil }
            // Who it is matters to self-trade prevention alone.
            let user = place.selfTradePrevention == nil ? nil : users.number(of: command.user)
            let taker = Taker(place, id: command.id, user: user ?? none)
            return shortage(
                of: taker, clock: clock, postOnly: place.postOnly, mustTrade: place.timeInForce == .fok, leaving: none)
        case .amend(let amend):
            return shortage(of: amend, command, clock: clock)
        case .cancelAll(let selection):
            guard selection.owner == nil else { return nil }
            return Side.allCases.first { selection.side ?? $0 == $0 && !isComplete($0) }
        case .cancel, .halt, .resume, .expire:
            return nil
        }
    }

    private func shortage(of amend: Amend, _ command: Command, clock: Timestamp) -> Side? {
        guard !state.isHalted, case .success(let slot) = find(amend.target, for: command.user),
            !isDue(slot, clock), case .requeue(let amount, let price) = plan(amend.change, for: slot)
        else { return nil }
        return shortage(
            of: taker(requeueing: slot, amount: amount, price: price), clock: clock,
            postOnly: pool.slots[Int(slot)].postOnly, mustTrade: false, leaving: slot)
    }

    /// `leaving` is the slot that the taker gives up on its own side.
    private func shortage(
        of taker: Taker, clock: Timestamp, postOnly: Bool, mustTrade: Bool, leaving: Int32
    ) -> Side? {
        // The sides are passed on, not copied: a copy would count references of all their arrays.
        taker.side == .bid
            ? shortage(of: taker, asks, own: bids, clock, postOnly, mustTrade, leaving)
            : shortage(of: taker, bids, own: asks, clock, postOnly, mustTrade, leaving)
    }

    private func shortage(
        of taker: Taker, _ other: borrowing BookSide, own: borrowing BookSide, _ clock: Timestamp, _ postOnly: Bool,
        _ mustTrade: Bool, _ leaving: Int32
    ) -> Side? {
        let first = firstStanding(on: other, clock: clock, without: none)
        guard first != none, isInside(other.horizon, first, other) else {
            // Of the other side nothing is known, unless that it begins beyond the limit or is empty.
            return other.horizon.isComplete || other.horizon.key < taker.limitKey ? nil : other.side
        }
        guard other.key(pool.slots[Int(first)].price) >= taker.limitKey, !postOnly else { return nil }
        if !other.horizon.isComplete, other.horizon.key >= taker.limitKey,
            reach(of: taker, through: other, clock: clock, mustTrade: mustTrade) == .endOfKnown
        {
            return other.side
        }
        guard !own.horizon.isComplete else { return nil }
        let best = firstStanding(on: own, clock: clock, without: leaving)
        return best != none && isInside(own.horizon, best, own) ? nil : own.side
    }

    /// The first order that is neither due nor on the way out.
    private func firstStanding(on side: borrowing BookSide, clock: Timestamp, without leaving: Int32) -> Int32 {
        var slot = side.first
        while slot != none, slot == leaving || isDue(slot, clock) { slot = side.after(slot, pool) }
        return slot
    }

    private func isDue(_ slot: Int32, _ clock: Timestamp) -> Bool {
        pool.slots[Int(slot)].expiryPosition != none && pool.slots[Int(slot)].expires <= clock
    }

    private func isInside(_ horizon: Horizon, _ slot: Int32, _ side: borrowing BookSide) -> Bool {
        horizon.contains(key: side.key(pool.slots[Int(slot)].price), priority: pool.slots[Int(slot)].priority)
    }
}

// MARK: - How far a taker gets

extension OrderBook {
    /// Where a taker would stop.
    enum Reach {
        /// Nothing of it is left open.
        case satisfied
        /// An order of its own user ends it.
        case prevented
        case priceLimit
        /// Behind the horizon, or behind the last order of the side.
        case endOfKnown
    }

    /// Walks the known orders as `match` would consume them, without touching any.
    ///
    /// - Parameter mustTrade: only trades count, so that a decrement by self-trade prevention ends the walk as well.
    func reach(of taker: Taker, through side: borrowing BookSide, clock: Timestamp, mustTrade: Bool) -> Reach {
        let meetsItself =
            taker.prevention != nil && taker.user != none && users.firstOrder(of: taker.user) != none
        let isByOrder = meetsItself || expiries.first(dueAt: clock) != nil
        var open = taker.open
        var level = side.levels.best
        while level != none {
            let node = side.levels.nodes[Int(level)]
            if node.key < side.horizon.key { return .endOfKnown }
            if node.key < taker.limitKey { return .priceLimit }
            if !isByOrder, node.key > side.horizon.key {
                if node.amount >= Int128(open.rawValue) { return .satisfied }
                open -= AmountLots(Int64(node.amount))
            } else if let end = reach(of: taker, through: node, side, clock, mustTrade, &open) {
                return end
            }
            level = node.worse
        }
        return .endOfKnown
    }

    /// The walk through one level, order by order; nil if it goes on to the next.
    private func reach(
        of taker: Taker, through node: PriceLevelNode, _ side: borrowing BookSide, _ clock: Timestamp,
        _ mustTrade: Bool, _ open: inout AmountLots
    ) -> Reach? {
        var slot = node.head
        while slot != none {
            let order = pool.slots[Int(slot)]
            slot = order.next
            if !side.horizon.contains(key: node.key, priority: order.priority) { return .endOfKnown }
            if order.expiryPosition != none, order.expires <= clock { continue }
            if let prevention = taker.prevention, order.user == taker.user {
                switch prevention {
                case .cancelOldest: continue
                case .cancelNewest, .cancelBoth: return .prevented
                case .decrementAndCancel: if mustTrade { return .prevented }
                }
            }
            if order.open >= open { return .satisfied }
            open -= order.open
        }
        return nil
    }
}
