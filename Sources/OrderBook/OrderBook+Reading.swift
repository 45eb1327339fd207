/// All that rests at one price.
public struct Level: Hashable, Sendable {
    public var price: PriceTicks
    /// Σ of what is open, in lots. 128 bits, because the sum of many 64-bit amounts may exceed 64.
    public var amount: Int128
    /// The number of orders.
    public var orders: Int

    public init(price: PriceTicks, amount: Int128, orders: Int) {
        self.price = price
        self.amount = amount
        self.orders = orders
    }
}

extension OrderBook {
    /// The best price of a side; nil where the side is empty, and in a partial book where its best order is not known.
    public func bestPrice(_ side: Side) -> PriceTicks? {
        side == .bid ? bestPrice(of: bids) : bestPrice(of: asks)
    }

    @inline(__always)
    func bestPrice(of side: borrowing BookSide) -> PriceTicks? {
        let first = side.first
        guard first != none else { return nil }
        let key = side.levels.nodes[Int(side.levels.best)].key
        guard side.horizon.contains(key: key, priority: pool.slots[Int(first)].priority) else { return nil }
        return side.price(key)
    }

    /// The best levels of a side, best first. A partial book shows what it holds.
    public func levels(_ side: Side, depth: Int = .max) -> [Level] {
        let bookSide = self.side(side)
        var result: [Level] = []
        var level = bookSide.levels.best
        while level != none, result.count < depth {
            let node = bookSide.levels.nodes[Int(level)]
            result.append(Level(price: bookSide.price(node.key), amount: node.amount, orders: Int(node.orders)))
            level = node.worse
        }
        return result
    }

    /// The orders of a side in the order in which they are served. A partial book shows what it holds.
    public func orders(_ side: Side) -> [RestingOrder] {
        let bookSide = self.side(side)
        var result: [RestingOrder] = []
        var slot = bookSide.first
        while slot != none {
            result.append(restingOrder(slot))
            slot = bookSide.after(slot, pool)
        }
        return result
    }

    /// The number of orders held.
    public var orderCount: Int { pool.count }

    /// A resting order; nil if the book holds none with this id.
    public subscript(_ id: OrderID) -> RestingOrder? {
        guard case .resting(let slot) = known(id) else { return nil }
        return restingOrder(slot)
    }

    /// Whether the book holds the order or has been told that it is closed, so that a command may name it.
    public func knows(_ id: OrderID) -> Bool { position(of: id) != nil }
}

extension OrderBook {
    /// Who placed an order that the book knows, resting or closed; nil where it knows nothing of the id.
    public func owner(of id: OrderID) -> UserID? {
        switch known(id) {
        case .resting(let slot): users.names[Int(pool.slots[Int(slot)].user)]
        case .closed(let user): users.names[Int(user)]
        case .unknown: nil
        }
    }

    /// Orders that are known and do not rest; see `forgetClosed`.
    public var closedCount: Int { closedFacts.count }
}
