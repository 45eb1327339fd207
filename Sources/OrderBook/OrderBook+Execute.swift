extension OrderBook {
    /// Executes one command: gives it the next `seq`, lets due gtd orders expire, does what it asks or refuses it, and
    /// writes the result into the journal and the digest.
    ///
    /// - Parameters:
    ///   - command: the next in the order of execution.
    ///   - isLate: the command was older than the window on arrival. It takes a `seq` and nothing else.
    ///   - isDuplicate: its user's own id of it was used by a command that comes before it, in this market or another.
    /// - Precondition: `shortage(for: command)` is nil, and what the command names is loaded.
    @discardableResult
    public mutating func execute(_ command: Command, isLate: Bool = false, isDuplicate: Bool = false) -> Outcome {
        state.seq.rawValue += 1
        let firstTrade = journal.trades.count
        let outcome: Outcome
        if isLate {
            outcome = refuse(command, .late)
        } else {
            if command.time > state.clock { state.clock = command.time }
            expireDueOrders()
            outcome = isDuplicate ? refuse(command, .duplicate) : run(command)
        }
        state.digest = record.digest(
            after: state.digest, command, outcome, trades: journal.trades, from: firstTrade)
        journal.executions.append(
            Execution(seq: state.seq, id: command.id, outcome: outcome, digest: state.digest))
        return outcome
    }

    private mutating func run(_ command: Command) -> Outcome {
        switch command.action {
        case .place(let place):
            return execute(place, command)
        case .amend(let amend):
            return execute(amend, command)
        case .cancel(let target):
            return cancel(target, command)
        case .cancelAll(let selection):
            return cancelAll(selection)
        case .halt:
            state.isHalted = true
            return Outcome(code: .done)
        case .resume:
            state.isHalted = false
            return Outcome(code: .done)
        case .expire:
            return Outcome(code: .done)
        }
    }

    /// A refusal. Of a place the whole amount is dropped, and its id is known from now on.
    mutating func refuse(_ command: Command, _ code: OutcomeCode) -> Outcome {
        guard case .place(let place) = command.action else { return Outcome(code: code) }
        if position(of: command.id) == nil { remember(closed: command.id, user: users.intern(command.user)) }
        return Outcome(code: code, dropped: place.amount)
    }

    private mutating func expireDueOrders() {
        while let slot = expiries.first(dueAt: state.clock) {
            remove(slot, reason: .expired)
        }
    }
}

// MARK: - Place

extension OrderBook {
    private mutating func execute(_ place: Place, _ command: Command) -> Outcome {
        if let code = refusal(of: place, id: command.id, clock: state.clock) { return refuse(command, code) }
        let user = users.intern(command.user)
        var taker = Taker(place, id: command.id, user: user)
        if let code = refusalByBook(of: place, taker) { return refuse(command, code) }
        match(&taker)
        let rests = taker.open > .zero && !taker.isPrevented && place.mayRest
        if rests {
            rest(place, taker, id: command.id)
        } else {
            remember(closed: command.id, user: user)
        }
        let code: OutcomeCode = rests ? .open : taker.filled == place.amount ? .filled : .dropped
        return Outcome(
            code: code, filled: taker.filled, remaining: rests ? taker.open : .zero,
            dropped: rests ? taker.dropped : place.amount - taker.filled, notional: taker.notional)
    }

    /// What can be refused without a look at the other side.
    func refusal(of place: Place, id: OrderID, clock: Timestamp) -> OutcomeCode? {
        if position(of: id) != nil { return .duplicate }
        if state.isHalted { return .halted }
        if place.amount <= .zero { return .notPositive }
        if let price = place.price, price.rawValue <= 0 { return .notPositive }
        if !limits.allows(place.amount, at: place.price) { return .tooLarge }
        if case .gtd(let expires) = place.timeInForce, expires <= clock { return .expired }
        return nil
    }

    /// What the other side of the book refuses. A market order is refused for want of liquidity only if that side is
    /// empty: one that meets nothing but its user's own orders is dropped, for it may have cancelled some of them.
    private func refusalByBook(of place: Place, _ taker: Taker) -> OutcomeCode? {
        if place.price == nil, (taker.side == .bid ? asks.first : bids.first) == none { return .noLiquidity }
        if place.postOnly, wouldCross(taker) { return .wouldCross }
        if place.timeInForce == .fok {
            let reach =
                taker.side == .bid
                ? reach(of: taker, through: asks, clock: state.clock, mustTrade: true)
                : reach(of: taker, through: bids, clock: state.clock, mustTrade: true)
            if reach != .satisfied { return .cannotFill }
        }
        return nil
    }

    private mutating func rest(_ place: Place, _ taker: Taker, id: OrderID) {
        var order = OrderSlot(
            id: id, price: place.price!, amount: place.amount, filled: taker.filled, dropped: taker.dropped,
            notional: taker.notional, priority: state.seq, expires: Timestamp(.max), user: taker.user,
            side: place.side, postOnly: place.postOnly, selfTradePrevention: place.selfTradePrevention)
        if case .gtd(let expires) = place.timeInForce { order.expires = expires }
        let slot = pool.allocate(order)
        identifiers.insert(id, reference: slot)
        if case .gtd(let expires) = place.timeInForce { expiries.insert(slot, expires: expires, &pool) }
        users.link(slot, &pool)
        append(slot)
        tracker.arrived(slot, priority: state.seq)
    }

    /// Puts an order at the back of the queue at its price.
    mutating func append(_ slot: Int32) {
        if pool.slots[Int(slot)].side == .bid { bids.append(slot, &pool) } else { asks.append(slot, &pool) }
    }
}

extension Place {
    /// Whether an open rest stays in the book.
    var mayRest: Bool {
        guard price != nil else { return false }
        switch timeInForce {
        case .gtc, .gtd: return true
        case .ioc, .fok: return false
        }
    }
}
