import OrderBook
import Store
import Wire

extension Entry {
    init(id: OrderID, user: UserID, _ request: OrderRequest) {
        switch request {
        case .add(let order):
            self.init(
                id: id, user: user, market: order.security, clientOrderID: order.clientOrderID,
                action: .place(PlaceEntry(order)))
        case .amend(let amend):
            self.init(
                id: id, user: user, market: nil,
                action: .amend(
                    target: amend.id, amount: amend.amount?.storeDecimal, price: amend.price?.storeDecimal))
        case .delete(let target):
            self.init(id: id, user: user, market: nil, action: .cancel(target: target))
        case .cancelAll(let orders):
            self.init(
                id: id, user: user, market: orders.security,
                action: .cancelAll(CancelAll(owner: user, side: orders.side)))
        }
    }
}

extension PlaceEntry {
    fileprivate init(_ order: AddOrder) {
        let timeInForce: TimeInForce =
            switch order.timeInForce {
            case nil, .gtc: .gtc
            case .ioc: .ioc
            case .fok: .fok
            case .gtd: order.expires.map { .gtd(expires: $0) } ?? .gtc
            }
        self.init(
            side: order.side, amount: order.amount.storeDecimal, price: order.price?.storeDecimal,
            timeInForce: timeInForce, postOnly: order.postOnly, selfTradePrevention: order.selfTradePrevention)
    }
}

extension ExactDecimal {
    fileprivate var storeDecimal: StoreDecimal { .exact(unscaled: unscaled, scale: scale) }
}
