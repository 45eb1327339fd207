extension OrderBook {
    mutating func cancel(_ target: OrderID, _ command: Command) -> Outcome {
        switch find(target, for: command.user) {
        case .success(let slot):
            let open = pool.slots[Int(slot)].open
            remove(slot, reason: .cancelled)
            return Outcome(code: .cancelled, dropped: open)
        case .failure(let refusal):
            return Outcome(code: refusal.code)
        }
    }

    /// Cancels what a selection names: bids before asks, in the order in which they are served. `dropped` is the sum of
    /// what was open, or the greatest amount there is should the sum exceed it.
    mutating func cancelAll(_ selection: CancelAll) -> Outcome {
        var dropped: Int128 = 0
        for slot in slots(of: selection) {
            dropped += Int128(pool.slots[Int(slot)].open.rawValue)
            remove(slot, reason: .cancelled)
        }
        return Outcome(code: .done, dropped: AmountLots(Int64(clamping: dropped)))
    }

    private func slots(of selection: CancelAll) -> [Int32] {
        guard let owner = selection.owner else {
            return Side.allCases.filter { selection.side ?? $0 == $0 }.flatMap(slots(inOrderOf:))
        }
        guard let user = users.number(of: owner) else { return [] }
        var slots: [Int32] = []
        var slot = users.firstOrder(of: user)
        while slot != none {
            let order = pool.slots[Int(slot)]
            if selection.side ?? order.side == order.side { slots.append(slot) }
            slot = order.nextOfUser
        }
        return slots.sorted(by: isServedBefore)
    }

    private func slots(inOrderOf side: Side) -> [Int32] {
        let bookSide = self.side(side)
        var slots: [Int32] = []
        var slot = bookSide.first
        while slot != none {
            slots.append(slot)
            slot = bookSide.after(slot, pool)
        }
        return slots
    }

    private func isServedBefore(_ a: Int32, _ b: Int32) -> Bool {
        let (a, b) = (pool.slots[Int(a)], pool.slots[Int(b)])
        if a.side != b.side { return a.side == .bid }
        if a.price != b.price { return a.side == .bid ? a.price > b.price : a.price < b.price }
        return a.priority < b.priority
    }

    /// Why a named order cannot be touched.
    struct Refusal: Error {
        var code: OutcomeCode
    }

    /// The resting order that a user may cancel or amend.
    func find(_ target: OrderID, for user: UserID) -> Result<Int32, Refusal> {
        let number = users.number(of: user)
        switch known(target) {
        case .resting(let slot):
            return pool.slots[Int(slot)].user == number ? .success(slot) : .failure(Refusal(code: .notYours))
        case .closed(let owner):
            return .failure(Refusal(code: owner == number ? .alreadyClosed : .notYours))
        case .unknown:
            return .failure(Refusal(code: .unknownOrder))
        }
    }

    /// Takes an order out of the book for good.
    mutating func remove(_ slot: Int32, reason: ClosedOrder.Reason) {
        if pool.slots[Int(slot)].side == .bid { bids.unlink(slot, &pool) } else { asks.unlink(slot, &pool) }
        close(slot, reason: reason)
    }

    /// Closes an order that stands in no level any more.
    mutating func close(_ slot: Int32, reason: ClosedOrder.Reason) {
        var order = restingOrder(slot)
        order.dropped += order.open
        journal.closed.append(ClosedOrder(order: order, reason: reason, seq: state.seq))
        if pool.slots[Int(slot)].expiryPosition != none { expiries.remove(slot, &pool) }
        users.unlink(slot, &pool)
        if pool.slots[Int(slot)].isStored { tracker.left(order.id) }
        closedFacts.append(ClosedFact(id: order.id, user: pool.slots[Int(slot)].user))
        if let position = position(of: order.id) {
            identifiers.replaceReference(at: position, with: ~Int32(closedFacts.count - 1))
        }
        pool.free(slot)
    }
}
