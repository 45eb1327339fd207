extension Command {
    /// Why no entrance would have let it in, in one line; nil where it lies within the bounds. Whether it fits its market
    /// is another question.
    public var fault: String? {
        if !time.isWithinBounds { return "command \(id) is of \(time.rawValue) µs, outside the years 1 to 9999" }
        if let fault = Bounds.fault(ofUser: user.rawValue) { return "command \(id): \(fault)" }
        if let clientOrderID, let fault = Bounds.fault(ofClientOrderID: clientOrderID) {
            return "command \(id): \(fault)"
        }
        if !Bounds.isSymbol(market) {
            return "command \(id) is for '\(market.prefix(40))', which is no market's symbol"
        }
        if origin.utf8.count > Bounds.nodeNameBytesMax {
            return "command \(id) is of '\(origin.prefix(40))', which is no node's name"
        }
        return action.fault.map { "command \(id) has \($0)" }
    }
}

extension Command.Action {
    fileprivate var fault: String? {
        switch self {
        case .place(let place):
            if case .gtd(let expires) = place.timeInForce, !expires.isWithinBounds {
                return "the expiry \(expires.rawValue) µs, outside the years 1 to 9999"
            }
            return place.amount.fault ?? place.price?.fault
        case .amend(let amend): return amend.change.fault
        case .cancelAll(let selection): return selection.owner.flatMap { Bounds.fault(ofUser: $0.rawValue) }
        case .cancel, .halt, .resume, .expire: return nil
        }
    }
}

extension Amend.Change {
    fileprivate var fault: String? {
        switch self {
        case .to(let amount, let price): amount?.fault ?? price?.fault
        case .reduce(let by): by.fault
        case .replace(let open, let price): open.fault ?? price.fault
        }
    }
}

extension AmountLots {
    fileprivate var fault: String? {
        (1...Bounds.amountMax).contains(rawValue)
            ? nil : "an amount of \(rawValue) lots, not of 1 to \(Bounds.amountMax)"
    }
}

extension PriceTicks {
    fileprivate var fault: String? {
        (1...Bounds.priceMax).contains(rawValue) ? nil : "a price of \(rawValue) ticks, not of 1 to \(Bounds.priceMax)"
    }
}
