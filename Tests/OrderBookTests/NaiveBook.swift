import OrderBook

/// The rules again, in the plainest code: one array of orders, sorted when somebody asks. What the fast book does must be
/// what this one does.
struct NaiveBook {
    var state = MarketState()
    var limits = MarketLimits.none
    var journal = Journal()
    var orders: [RestingOrder] = []
    /// Every order ever placed, whatever came of it.
    var owners: [OrderID: UserID] = [:]

    /// A side in the order in which it is served.
    func queue(_ side: Side) -> [RestingOrder] {
        orders.filter { $0.side == side }.sorted { a, b in
            if a.price != b.price { return side == .bid ? a.price > b.price : a.price < b.price }
            return a.priority < b.priority
        }
    }

    mutating func execute(_ command: Command, isLate: Bool) -> Outcome {
        state.seq = Seq(state.seq.rawValue + 1)
        let tradesBefore = journal.trades.count
        var outcome: Outcome
        if isLate {
            outcome = Outcome(code: .late)
        } else {
            state.clock = max(state.clock, command.time)
            expire()
            outcome = run(command)
        }
        if case .place(let place) = command.action {
            if outcome.code.isRefusal { outcome.dropped = place.amount }
            owners[command.id] = owners[command.id] ?? command.user
        }
        let record = NaiveRecord.bytes(command, outcome, Array(journal.trades[tradesBefore...]))
        state.digest = SHA256.hash(state.digest.bytes + record)
        journal.executions.append(
            Execution(seq: state.seq, id: command.id, outcome: outcome, digest: state.digest))
        return outcome
    }

    private mutating func expire() {
        let due = orders.filter { $0.expires != nil && $0.expires! <= state.clock }
        for order in due.sorted(by: { ($0.expires!, $0.id) < ($1.expires!, $1.id) }) {
            close(order.id, .expired)
        }
    }

    private mutating func run(_ command: Command) -> Outcome {
        switch command.action {
        case .place(let place): return execute(place, command)
        case .amend(let amend): return execute(amend, command)
        case .cancel(let target):
            if let refusal = refusal(of: target, command.user) { return refusal }
            let open = orders[index(target)!].open
            close(target, .cancelled)
            return Outcome(code: .cancelled, dropped: open)
        case .cancelAll(let selection):
            let selected = (queue(.bid) + queue(.ask)).filter {
                (selection.owner ?? $0.user) == $0.user && (selection.side ?? $0.side) == $0.side
            }
            for order in selected { close(order.id, .cancelled) }
            let dropped = selected.reduce(Int128(0)) { $0 + Int128($1.open.rawValue) }
            return Outcome(code: .done, dropped: AmountLots(Int64(clamping: dropped)))
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

    private func isTooLarge(_ amount: AmountLots, _ price: PriceTicks?) -> Bool {
        if amount > limits.amountMax { return true }
        guard let most = limits.notionalMax, let price else { return false }
        return Int128(amount.rawValue) * Int128(price.rawValue) > most.rawValue
    }

    // MARK: Place

    private mutating func execute(_ place: Place, _ command: Command) -> Outcome {
        if owners[command.id] != nil { return Outcome(code: .duplicate) }
        if state.isHalted { return Outcome(code: .halted) }
        if place.amount <= .zero { return Outcome(code: .notPositive) }
        if let price = place.price, price <= PriceTicks(0) { return Outcome(code: .notPositive) }
        if isTooLarge(place.amount, place.price) { return Outcome(code: .tooLarge) }
        var order = RestingOrder(
            id: command.id, user: command.user, side: place.side, price: place.price ?? PriceTicks(0),
            amount: place.amount, priority: state.seq, postOnly: place.postOnly,
            selfTradePrevention: place.selfTradePrevention)
        if case .gtd(let expires) = place.timeInForce {
            if expires <= state.clock { return Outcome(code: .expired) }
            order.expires = expires
        }
        let others = queue(place.side.opposite)
        if place.price == nil, others.isEmpty { return Outcome(code: .noLiquidity) }
        let inLimit = others.filter { crosses(place.side, place.price, $0.price) }
        if place.postOnly, !inLimit.isEmpty { return Outcome(code: .wouldCross) }
        if place.timeInForce == .fok, !canFill(place, command.user, inLimit) { return Outcome(code: .cannotFill) }

        let (isPrevented, notional) = match(&order, limit: place.price)
        let mayRest = place.price != nil && place.timeInForce != .ioc && place.timeInForce != .fok
        if order.open > .zero, mayRest, !isPrevented {
            orders.append(order)
            return Outcome(
                code: .open, filled: order.filled, remaining: order.open, dropped: order.dropped, notional: notional)
        }
        return Outcome(
            code: order.filled == order.amount ? .filled : .dropped, filled: order.filled,
            dropped: order.amount - order.filled, notional: notional)
    }

    private func crosses(_ side: Side, _ limit: PriceTicks?, _ price: PriceTicks) -> Bool {
        guard let limit else { return true }
        return side == .bid ? price <= limit : price >= limit
    }

    private func canFill(_ place: Place, _ user: UserID, _ makers: [RestingOrder]) -> Bool {
        var available: Int128 = 0
        for maker in makers {
            if maker.user == user, let prevention = place.selfTradePrevention {
                if prevention == .cancelOldest { continue }
                break
            }
            available += Int128(maker.open.rawValue)
        }
        return available >= Int128(place.amount.rawValue)
    }

    /// Whether self-trade prevention ended it, and Σ price × amount.
    private mutating func match(_ order: inout RestingOrder, limit: PriceTicks?) -> (Bool, Notional) {
        var notional = Notional.zero
        while order.open > .zero, let maker = queue(order.side.opposite).first,
            crosses(order.side, limit, maker.price)
        {
            let amount = min(order.open, maker.open)
            if maker.user == order.user, let prevention = order.selfTradePrevention {
                switch prevention {
                case .decrementAndCancel:
                    order.dropped += amount
                    orders[index(maker.id)!].dropped += amount
                    if amount == maker.open { close(maker.id, .prevented) }
                case .cancelOldest:
                    close(maker.id, .prevented)
                case .cancelNewest:
                    return (true, notional)
                case .cancelBoth:
                    close(maker.id, .prevented)
                    return (true, notional)
                }
                continue
            }
            state.tradeID = TradeID(state.tradeID.rawValue + 1)
            state.lastPrice = maker.price
            journal.trades.append(
                Trade(
                    id: state.tradeID, seq: state.seq, time: state.clock, takerOrder: order.id, makerOrder: maker.id,
                    takerUser: order.user, makerUser: maker.user, takerSide: order.side, price: maker.price,
                    amount: amount, bestBid: queue(.bid).first?.price, bestAsk: queue(.ask).first?.price))
            let value = Notional(price: maker.price, amount: amount)
            notional += value
            order.filled += amount
            order.notional += value
            orders[index(maker.id)!].filled += amount
            orders[index(maker.id)!].notional += value
            if amount == maker.open { close(maker.id, .filled) }
        }
        return (false, notional)
    }

    // MARK: Amend

    private mutating func execute(_ amend: Amend, _ command: Command) -> Outcome {
        if state.isHalted { return Outcome(code: .halted) }
        if let refusal = refusal(of: amend.target, command.user) { return refusal }
        var order = orders[index(amend.target)!]
        let gone = order.filled + order.dropped
        var amount = order.amount
        var price = order.price
        var goesBack = true
        switch amend.change {
        case .to(let newAmount, let newPrice):
            amount = newAmount ?? amount
            price = newPrice ?? price
            if amount <= .zero { return Outcome(code: .notPositive) }
            goesBack = price != order.price || amount > order.amount
        case .reduce(let by):
            if by <= .zero { return Outcome(code: .notPositive) }
            amount -= by
            goesBack = false
        case .replace(let open, let newPrice):
            if open <= .zero { return Outcome(code: .notPositive) }
            let (sum, overflow) = gone.rawValue.addingReportingOverflow(open.rawValue)
            if newPrice > PriceTicks(0), overflow { return Outcome(code: .tooLarge) }
            amount = AmountLots(sum)
            price = newPrice
        }
        if price <= PriceTicks(0) { return Outcome(code: .notPositive) }
        if amount <= gone {
            close(order.id, .cancelled)
            return Outcome(code: .cancelled, dropped: order.open)
        }
        order.amount = amount
        if !goesBack {
            orders[index(order.id)!] = order
            return Outcome(code: .amended, remaining: order.open)
        }
        if isTooLarge(amount, price) { return Outcome(code: .tooLarge) }
        let meets = queue(order.side.opposite).first.map { crosses(order.side, price, $0.price) } ?? false
        if order.postOnly, meets { return Outcome(code: .wouldCross) }
        return requeue(order, at: price)
    }

    private mutating func requeue(_ old: RestingOrder, at price: PriceTicks) -> Outcome {
        var order = old
        order.price = price
        order.priority = state.seq
        orders.remove(at: index(order.id)!)
        let (isPrevented, notional) = match(&order, limit: price)
        orders.append(order)
        let filled = order.filled - old.filled
        if order.open > .zero, !isPrevented {
            return Outcome(
                code: .amended, filled: filled, remaining: order.open, dropped: order.dropped - old.dropped,
                notional: notional)
        }
        let isFilled = filled == old.open
        close(order.id, isFilled ? .filled : .prevented)
        return Outcome(
            code: isFilled ? .filled : .dropped, filled: filled, dropped: old.open - filled, notional: notional)
    }

    // MARK: Orders by id

    private func index(_ id: OrderID) -> Int? { orders.firstIndex { $0.id == id } }

    private func refusal(of target: OrderID, _ user: UserID) -> Outcome? {
        guard let owner = owners[target] else { return Outcome(code: .unknownOrder) }
        if owner != user { return Outcome(code: .notYours) }
        return index(target) == nil ? Outcome(code: .alreadyClosed) : nil
    }

    private mutating func close(_ id: OrderID, _ reason: ClosedOrder.Reason) {
        var order = orders.remove(at: index(id)!)
        order.dropped += order.open
        journal.closed.append(ClosedOrder(order: order, reason: reason, seq: state.seq))
    }
}
