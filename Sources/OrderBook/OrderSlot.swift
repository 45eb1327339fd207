/// The absence of a slot or level, wherever a reference to one is stored.
let none: Int32 = -1

/// An order as the book stores it: no references to count, and neighbours named by their slot numbers.
struct OrderSlot: Sendable {
    var id: OrderID
    var price: PriceTicks
    var amount: AmountLots
    var filled: AmountLots
    var dropped: AmountLots
    var notional: Notional
    var priority: Seq
    /// Meaningful only while `expiryPosition` is set.
    var expires: Timestamp
    /// The neighbours in the queue of its level.
    var next: Int32 = none
    var previous: Int32 = none
    var level: Int32 = none
    /// The neighbours among the orders of its user.
    var nextOfUser: Int32 = none
    var previousOfUser: Int32 = none
    var user: Int32
    /// Where it stands in the expiry queue; `none` for an order without an end.
    var expiryPosition: Int32 = none
    var side: Side
    var postOnly: Bool
    var selfTradePrevention: SelfTradePrevention?
    /// The table holds a row of it.
    var isStored = false
    /// The table's row of it is out of date, and it stands in the list of changes.
    var isChanged = false

    var open: AmountLots { amount - filled - dropped }
}

/// The slots of all resting orders; a freed slot is used again.
struct OrderPool: Sendable {
    var slots: [OrderSlot] = []
    private var firstFree: Int32 = none
    private(set) var count = 0

    mutating func allocate(_ order: OrderSlot) -> Int32 {
        count += 1
        guard firstFree != none else {
            slots.append(order)
            return Int32(slots.count - 1)
        }
        let slot = firstFree
        firstFree = slots[Int(slot)].next
        slots[Int(slot)] = order
        return slot
    }

    mutating func free(_ slot: Int32) {
        count -= 1
        slots[Int(slot)].next = firstFree
        slots[Int(slot)].priority = Seq(-1)
        slots[Int(slot)].isChanged = false
        firstFree = slot
    }
}
