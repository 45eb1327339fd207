import OrderBook
import Store

extension Market {
    /// A command of ticks and lots as somebody would give it.
    func entryAction(_ action: Command.Action) -> Entry.Action {
        switch action {
        case .place(let place):
            return .place(
                PlaceEntry(
                    side: place.side, amount: decimal(place.amount), price: place.price.map(decimal),
                    timeInForce: place.timeInForce, postOnly: place.postOnly,
                    selfTradePrevention: place.selfTradePrevention))
        case .amend(let amend):
            switch amend.change {
            case .to(let amount, let price):
                return .amend(
                    target: amend.target, amount: amount.map(decimal), price: price.map(decimal))
            case .reduce(let by):
                return .reduce(target: amend.target, by: decimal(by))
            case .replace(let open, let price):
                return .replace(target: amend.target, open: decimal(open), price: decimal(price))
            }
        case .cancel(let target): return .cancel(target: target)
        case .cancelAll(let scope): return .cancelAll(scope)
        case .halt: return .halt
        case .resume: return .resume
        case .expire: return .expire
        }
    }
}
