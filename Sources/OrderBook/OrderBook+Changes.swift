/// Which orders differ from the rows of the table.
struct ChangeTracker: Sendable {
    /// Orders that came to rest and have no row yet. The priority tells an order that is still there from a later one
    /// in the same slot, or at another place in the queue: no two orders came to rest by the same command.
    var arrivals: [(slot: Int32, priority: Seq)] = []
    /// Slots of orders whose rows are out of date.
    var updates: [Int32] = []
    /// Orders that have rows and rest no more.
    var departures: [OrderID] = []

    mutating func arrived(_ slot: Int32, priority: Seq) { arrivals.append((slot, priority)) }
    mutating func left(_ id: OrderID) { departures.append(id) }
}

extension OrderBook {
    /// The net difference between the book at the last call, or as loaded, and now. An order that came and went in
    /// between appears nowhere.
    public mutating func takeChanges() -> BookChanges {
        var changes = BookChanges()
        for (slot, priority) in tracker.arrivals {
            let order = pool.slots[Int(slot)]
            guard order.priority == priority, !order.isStored else { continue }
            pool.slots[Int(slot)].isStored = true
            changes.inserted.append(restingOrder(slot))
        }
        for slot in tracker.updates where pool.slots[Int(slot)].isChanged {
            pool.slots[Int(slot)].isChanged = false
            changes.updated.append(restingOrder(slot))
        }
        changes.deleted = tracker.departures
        tracker = ChangeTracker()
        return changes
    }

    /// Notes that an order differs from its row, if it has one.
    @inline(__always)
    mutating func changed(_ slot: Int32) {
        guard pool.slots[Int(slot)].isStored, !pool.slots[Int(slot)].isChanged else { return }
        pool.slots[Int(slot)].isChanged = true
        tracker.updates.append(slot)
    }
}
