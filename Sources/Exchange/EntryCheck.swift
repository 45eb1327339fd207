import OrderBook
import Store

/// Whether an entry is plainly in order, and then what it means in ticks and lots.
///
/// It may doubt what is right, and must not pass what is wrong: whatever is doubted goes to `pgbook_data.enter`, which
/// alone refuses, in words. The rules are those of that function.
struct EntryCheck {
    let market: VersionedMarket
    let isHalted: Bool

    func action(_ entry: Entry, time: Timestamp) -> Command.Action? {
        guard Bounds.fault(ofUser: entry.user.rawValue) == nil,
            entry.clientOrderID.map({ Bounds.fault(ofClientOrderID: $0) == nil }) ?? true
        else { return nil }
        switch entry.action {
        case .place(let place):
            return isHalted ? nil : self.place(place, time: time).map { .place($0) }
        case .amend(let target, let amount, let price):
            guard amount != nil || price != nil else { return nil }
            return change(target, amount, price) { .to(amount: $0, price: $1) }
        case .reduce(let target, let by):
            return change(target, by, nil) { amount, _ in amount.map { .reduce(by: $0) } }
        case .replace(let target, let open, let price):
            return change(target, open, price) { amount, price in
                guard let amount, let price else { return nil }
                return .replace(open: amount, price: price)
            }
        case .cancel(let target): return .cancel(target)
        case .cancelAll(let scope): return .cancelAll(scope)
        case .halt: return .halt
        case .resume: return .resume
        case .expire: return .expire
        }
    }

    private func place(_ place: PlaceEntry, time: Timestamp) -> Place? {
        guard let amount = lots(place.amount) else { return nil }
        var price: PriceTicks?
        if let decimal = place.price {
            guard let ticks = ticks(decimal), isWithinNotional(amount, ticks) else { return nil }
            price = ticks
        }
        switch place.timeInForce {
        case .gtc: if place.postOnly, price == nil { return nil }
        case .ioc, .fok: if place.postOnly { return nil }
        case .gtd(let expires):
            guard price != nil, expires > time, expires.isWithinBounds else { return nil }
        }
        return Place(
            side: place.side, price: price, amount: amount, timeInForce: place.timeInForce, postOnly: place.postOnly,
            selfTradePrevention: place.selfTradePrevention)
    }

    private func change(
        _ target: OrderID, _ amount: StoreDecimal?, _ price: StoreDecimal?,
        _ make: (AmountLots?, PriceTicks?) -> Amend.Change?
    ) -> Command.Action? {
        guard !isHalted else { return nil }
        let lots = amount.map(lots)
        let ticks = price.map(ticks)
        // Given, and not in order.
        if case .some(.none) = lots { return nil }
        if case .some(.none) = ticks { return nil }
        if let lots = lots ?? nil, let ticks = ticks ?? nil, !isWithinNotional(lots, ticks) { return nil }
        return make(lots ?? nil, ticks ?? nil).map { .amend(Amend(target: target, change: $0)) }
    }

    private func lots(_ amount: StoreDecimal) -> AmountLots? {
        guard let lots = market.market.lots(amount), lots <= market.market.amountMax else { return nil }
        return lots
    }

    private func ticks(_ price: StoreDecimal) -> PriceTicks? {
        guard let ticks = market.market.ticks(price), ticks >= market.market.priceMin, ticks <= market.market.priceMax
        else { return nil }
        return ticks
    }

    private func isWithinNotional(_ amount: AmountLots, _ price: PriceTicks) -> Bool {
        guard let most = market.market.notionalMax else { return true }
        return Notional(price: price, amount: amount) <= most
    }
}
