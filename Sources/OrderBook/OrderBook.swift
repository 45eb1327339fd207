/// The book of one market, and the rules by which commands are executed against it.
///
/// A pure value: commands and resting orders go in, outcomes, trades and changes come out. It knows no clock but the
/// times of the commands, and equal inputs give equal results on every machine.
///
/// A book may be *partial*. It then holds the best part of each side up to a horizon, and single orders beyond it that
/// were loaded by name or placed meanwhile. Before each command the owner asks `shortage(for:)` and loads more rows of
/// the side it names; the results are then the same as those of a complete book. Three things the owner must load by
/// name itself, for no horizon tells of them:
/// - the target of a cancel or an amend, or that it is known but closed (`learn(closed:)`);
/// - the orders of the user of a cancel-all;
/// - the gtd orders that are due at the time of the latest command of the batch.
///
/// The ids of commands are unique; the log sees to that. An order is known once its place command was executed,
/// whatever the outcome: later commands that name it are answered `already_closed` if it does not rest.
public struct OrderBook: Sendable {
    public internal(set) var state: MarketState
    /// What one order may come to.
    public let limits: MarketLimits
    /// What happened since the journal was last taken.
    public internal(set) var journal = Journal()

    var pool = OrderPool()
    var identifiers = IdentifierTable()
    var users = UserTable()
    var expiries = ExpiryQueue()
    var bids: BookSide
    var asks: BookSide
    /// Orders that are known and do not rest. An identifier refers to the fact at `~reference`.
    var closedFacts: [ClosedFact] = []
    var tracker = ChangeTracker()
    var record = RecordBuffer()

    struct ClosedFact: Sendable {
        var id: OrderID
        var user: Int32
    }

    /// How much of the market's book an empty `OrderBook` stands for.
    public enum Completeness: Sendable {
        /// The book is empty, and that is all there is.
        case complete
        /// Nothing of either side is loaded yet.
        case unloaded
    }

    public init(state: MarketState, completeness: Completeness, limits: MarketLimits = .none) {
        self.state = state
        self.limits = limits
        let horizon: Horizon = completeness == .complete ? .complete : .unloaded
        bids = BookSide(side: .bid, horizon: horizon)
        asks = BookSide(side: .ask, horizon: horizon)
    }

    /// The journal since the last call; the book starts a new one.
    public mutating func takeJournal() -> Journal {
        let taken = journal
        journal = Journal()
        return taken
    }

    /// Drops what is remembered of orders that do not rest, so that a partial book that lives long stays small. Only
    /// once the changes are taken and stored: a row loaded later would otherwise bring a closed order back.
    public mutating func forgetClosed() {
        for fact in closedFacts {
            if let position = position(of: fact.id) { identifiers.remove(at: position) }
        }
        closedFacts.removeAll(keepingCapacity: closedFacts.count < 65_536)
        forgetIdleUsers()
    }

    /// Gives the users new numbers when most of the known ones have no order any more.
    private mutating func forgetIdleUsers() {
        guard users.count > 1_024, users.count > 2 * pool.count else { return }
        var fresh = UserTable()
        for side in [bids, asks] {
            var slot = side.first
            while slot != none {
                pool.slots[Int(slot)].user = fresh.intern(users.names[Int(pool.slots[Int(slot)].user)])
                fresh.link(slot, &pool)
                slot = side.after(slot, pool)
            }
        }
        users = fresh
    }
}

// MARK: - Finding orders

extension OrderBook {
    /// What the book knows of an id.
    enum Known {
        case resting(Int32)
        case closed(user: Int32)
        case unknown
    }

    func known(_ id: OrderID) -> Known {
        guard let position = position(of: id) else { return .unknown }
        let reference = identifiers.reference(at: position)
        return reference >= 0 ? .resting(reference) : .closed(user: closedFacts[Int(~reference)].user)
    }

    @inline(__always)
    func position(of id: OrderID) -> Int? {
        identifiers.position(of: id) { reference in
            reference >= 0 ? pool.slots[Int(reference)].id == id : closedFacts[Int(~reference)].id == id
        }
    }

    @inline(__always)
    func side(_ side: Side) -> BookSide { side == .bid ? bids : asks }

    func restingOrder(_ slot: Int32) -> RestingOrder {
        let order = pool.slots[Int(slot)]
        return RestingOrder(
            id: order.id, user: users.names[Int(order.user)], side: order.side, price: order.price,
            amount: order.amount, filled: order.filled, dropped: order.dropped, notional: order.notional,
            priority: order.priority, expires: order.expiryPosition == none ? nil : order.expires,
            postOnly: order.postOnly, selfTradePrevention: order.selfTradePrevention)
    }
}
