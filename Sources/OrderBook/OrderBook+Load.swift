extension OrderBook {
    /// Whether every resting order of a side is in memory.
    public func isComplete(_ side: Side) -> Bool { self.side(side).horizon.isComplete }

    /// The last place in the queue up to which a side is known; the next load continues behind it. Nil where nothing is
    /// loaded yet, and where the side is complete.
    public func horizon(of side: Side) -> (price: PriceTicks, priority: Seq)? {
        let bookSide = self.side(side)
        guard !bookSide.horizon.isComplete, bookSide.horizon.key != .max else { return nil }
        return (bookSide.price(bookSide.horizon.key), bookSide.horizon.priority)
    }

    /// Takes the next best rows of a side behind its horizon, best first, as the table holds them. Rows of orders that
    /// the book knows already, resting or closed since, are passed over: what the book knows is newer.
    ///
    /// - Parameters:
    ///   - rows: best first, beginning right behind the horizon.
    ///   - side: the side that all of them belong to.
    ///   - reachesEnd: the table has no further rows of this side.
    public mutating func load(_ rows: [RestingOrder], side: Side, reachesEnd: Bool) {
        var previous: Int32 = none
        for row in rows {
            precondition(row.side == side, "row \(row.id) is not of side \(side)")
            guard position(of: row.id) == nil else { continue }
            previous = insert(stored: row, behind: previous)
        }
        if side == .bid {
            bids.extendHorizon(past: rows.last, reachesEnd: reachesEnd)
        } else {
            asks.extendHorizon(past: rows.last, reachesEnd: reachesEnd)
        }
    }

    /// Takes rows from anywhere in the book: targets of cancels and amends, due gtd orders, a user's orders. Known
    /// orders are passed over.
    public mutating func load(named rows: [RestingOrder]) {
        for row in rows.sorted(by: { $0.priority < $1.priority }) where position(of: row.id) == nil {
            _ = insert(stored: row, behind: none)
        }
    }

    /// Takes note of orders that the log knows and that do not rest. It tells a cancel of a closed order, or of somebody
    /// else's, from one of an order that never was.
    public mutating func learn(closed facts: [(id: OrderID, user: UserID)]) {
        for fact in facts where position(of: fact.id) == nil {
            remember(closed: fact.id, user: users.intern(fact.user))
        }
    }

    mutating func remember(closed id: OrderID, user: Int32) {
        closedFacts.append(ClosedFact(id: id, user: user))
        identifiers.insert(id, reference: ~Int32(closedFacts.count - 1))
    }

    /// `neighbour` is the row loaded just before, so that a run of rows at one price is merged in one walk.
    private mutating func insert(stored row: RestingOrder, behind neighbour: Int32) -> Int32 {
        let slot = pool.allocate(
            OrderSlot(
                id: row.id, price: row.price, amount: row.amount, filled: row.filled, dropped: row.dropped,
                notional: row.notional, priority: row.priority, expires: row.expires ?? Timestamp(.max),
                user: users.intern(row.user), side: row.side, postOnly: row.postOnly,
                selfTradePrevention: row.selfTradePrevention, isStored: true))
        identifiers.insert(row.id, reference: slot)
        if let expires = row.expires { expiries.insert(slot, expires: expires, &pool) }
        users.link(slot, &pool)
        if neighbour != none, isSuccessor(of: neighbour, row) {
            if row.side == .bid {
                bids.insert(slot, behind: neighbour, &pool)
            } else {
                asks.insert(slot, behind: neighbour, &pool)
            }
        } else if row.side == .bid {
            bids.insert(slot, &pool)
        } else {
            asks.insert(slot, &pool)
        }
        return slot
    }

    /// Whether a row belongs right behind an order: at its price, and before the one that follows it now.
    private func isSuccessor(of neighbour: Int32, _ row: RestingOrder) -> Bool {
        let order = pool.slots[Int(neighbour)]
        guard order.price == row.price, order.priority < row.priority else { return false }
        return order.next == none || row.priority < pool.slots[Int(order.next)].priority
    }
}
