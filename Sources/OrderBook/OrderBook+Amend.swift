extension OrderBook {
    /// What an amend comes to, given the order as it rests.
    enum AmendPlan {
        case refuse(OutcomeCode)
        /// Nothing stays open.
        case cancelRest
        /// The order keeps its place, with a new total.
        case keepPlace(amount: AmountLots)
        /// The order goes to the back of the queue, and may trade on the way.
        case requeue(amount: AmountLots, price: PriceTicks)
    }

    /// The outcome counts what this amend did: for an order that stays, what was to be open = filled + remaining +
    /// dropped, where only self-trade prevention drops. If it cancels the rest, `dropped` is what was open.
    mutating func execute(_ amend: Amend, _ command: Command) -> Outcome {
        if state.isHalted { return Outcome(code: .halted) }
        let slot: Int32
        switch find(amend.target, for: command.user) {
        case .success(let found): slot = found
        case .failure(let refusal): return Outcome(code: refusal.code)
        }
        let open = pool.slots[Int(slot)].open
        switch plan(amend.change, for: slot) {
        case .refuse(let code):
            return Outcome(code: code)
        case .cancelRest:
            remove(slot, reason: .cancelled)
            return Outcome(code: .cancelled, dropped: open)
        case .keepPlace(let amount):
            let reduction = pool.slots[Int(slot)].amount - amount
            if reduction > .zero {
                pool.slots[Int(slot)].amount = amount
                reduceLevel(of: slot, by: reduction)
                changed(slot)
            }
            return Outcome(code: .amended, remaining: open - reduction)
        case .requeue(let amount, let price):
            return requeue(slot, amount: amount, price: price)
        }
    }

    func plan(_ change: Amend.Change, for slot: Int32) -> AmendPlan {
        let order = pool.slots[Int(slot)]
        let gone = order.filled + order.dropped
        switch change {
        case .to(let amount, let price):
            let (amount, price) = (amount ?? order.amount, price ?? order.price)
            if amount <= .zero || price.rawValue <= 0 { return .refuse(.notPositive) }
            if amount <= gone { return .cancelRest }
            if price == order.price, amount <= order.amount { return .keepPlace(amount: amount) }
            return requeueWithinLimits(amount: amount, price: price)
        case .reduce(let by):
            if by <= .zero { return .refuse(.notPositive) }
            return by >= order.open ? .cancelRest : .keepPlace(amount: order.amount - by)
        case .replace(let open, let price):
            if open <= .zero || price.rawValue <= 0 { return .refuse(.notPositive) }
            let (amount, isTooLarge) = gone.rawValue.addingReportingOverflow(open.rawValue)
            return isTooLarge ? .refuse(.tooLarge) : requeueWithinLimits(amount: AmountLots(amount), price: price)
        }
    }

    /// An entrance sees what an amend says, not what it comes to: a price alone, or an amount alone, can make too much of
    /// an order.
    private func requeueWithinLimits(amount: AmountLots, price: PriceTicks) -> AmendPlan {
        limits.allows(amount, at: price) ? .requeue(amount: amount, price: price) : .refuse(.tooLarge)
    }

    /// The amended order as a taker at its new price.
    func taker(requeueing slot: Int32, amount: AmountLots, price: PriceTicks) -> Taker {
        let order = pool.slots[Int(slot)]
        return Taker(
            id: order.id, user: order.user, side: order.side, price: price,
            open: amount - order.filled - order.dropped, prevention: order.selfTradePrevention)
    }

    /// The order leaves its place first: the best prices that its trades record are those without it.
    private mutating func requeue(_ slot: Int32, amount: AmountLots, price: PriceTicks) -> Outcome {
        var taker = taker(requeueing: slot, amount: amount, price: price)
        if pool.slots[Int(slot)].postOnly, wouldCross(taker) { return Outcome(code: .wouldCross) }
        if taker.side == .bid { bids.unlink(slot, &pool) } else { asks.unlink(slot, &pool) }
        let open = taker.open
        match(&taker)
        pool.slots[Int(slot)].priority = state.seq
        pool.slots[Int(slot)].price = price
        pool.slots[Int(slot)].amount = amount
        pool.slots[Int(slot)].filled += taker.filled
        pool.slots[Int(slot)].dropped += taker.dropped
        pool.slots[Int(slot)].notional += taker.notional
        guard taker.open > .zero, !taker.isPrevented else {
            let isFilled = taker.filled == open
            close(slot, reason: isFilled ? .filled : .prevented)
            return Outcome(
                code: isFilled ? .filled : .dropped, filled: taker.filled, dropped: open - taker.filled,
                notional: taker.notional)
        }
        append(slot)
        if pool.slots[Int(slot)].isStored {
            changed(slot)
        } else {
            tracker.arrived(slot, priority: state.seq)
        }
        return Outcome(
            code: .amended, filled: taker.filled, remaining: taker.open, dropped: taker.dropped,
            notional: taker.notional)
    }
}
