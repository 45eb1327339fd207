public import OrderBook

// The numbers that stand for words in the tables; sql/schema/0003_orders.sql lists them.

extension TimeInForce {
    /// `commands.tif`.
    public var code: Int16 {
        switch self {
        case .gtc: 0
        case .ioc: 1
        case .fok: 2
        case .gtd: 3
        }
    }

    public var expires: Timestamp? {
        if case .gtd(let expires) = self { expires } else { nil }
    }

    init?(code: Int16, expires: Timestamp?) {
        switch (code, expires) {
        case (0, _): self = .gtc
        case (1, _): self = .ioc
        case (2, _): self = .fok
        case (3, let expires?): self = .gtd(expires: expires)
        default: return nil
        }
    }
}

extension Amend.Change {
    /// `commands.change`.
    public var code: Int16 {
        switch self {
        case .to: 1
        case .reduce: 2
        case .replace: 3
        }
    }

    /// `commands.amount`.
    var amount: AmountLots? {
        switch self {
        case .to(let amount, _): amount
        case .reduce(let by): by
        case .replace(let open, _): open
        }
    }

    /// `commands.price`.
    var price: PriceTicks? {
        switch self {
        case .to(_, let price): price
        case .reduce: nil
        case .replace(_, let price): price
        }
    }

    init?(code: Int16, amount: AmountLots?, price: PriceTicks?) {
        switch (code, amount, price) {
        case (1, _, _): self = .to(amount: amount, price: price)
        case (2, let amount?, nil): self = .reduce(by: amount)
        case (3, let amount?, let price?): self = .replace(open: amount, price: price)
        default: return nil
        }
    }
}
