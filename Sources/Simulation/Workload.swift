import OrderBook

/// Orders around one price, some cancels and amends of what was placed before, at any node.
struct Workload: Sendable {
    private var placed: [(id: OrderID, market: String, user: UserID)] = []

    mutating func next(_ chance: inout Chance) -> Command {
        let kind = chance.below(10)
        if kind >= 7, !placed.isEmpty {
            let target = placed[chance.index(placed.count)]
            return Command(
                id: id(&chance), time: Timestamp(0), market: target.market, user: target.user,
                action: kind == 7 ? .amend(amend(target.id, &chance)) : .cancel(target.id))
        }
        let command = Command(
            id: id(&chance), time: Timestamp(0), market: Matcher.markets[chance.happens(percent: 75) ? 0 : 1],
            user: UserID("u\(chance.below(4))"), action: .place(place(&chance)))
        placed.append((command.id, command.market, command.user))
        return command
    }

    func id(_ chance: inout Chance) -> OrderID { OrderID(high: chance.next(), low: chance.next()) }

    private func place(_ chance: inout Chance) -> Place {
        let side: Side = chance.happens(percent: 50) ? .bid : .ask
        let price: PriceTicks? = chance.happens(percent: 10) ? nil : PriceTicks(chance.within(97...103))
        return Place(
            side: side, price: price, amount: AmountLots(chance.within(1...9)), timeInForce: price == nil ? .ioc : .gtc)
    }

    private func amend(_ target: OrderID, _ chance: inout Chance) -> Amend {
        Amend(target: target, change: .to(amount: AmountLots(chance.within(1...9)), price: nil))
    }
}
