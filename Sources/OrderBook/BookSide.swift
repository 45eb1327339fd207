/// How far a side of the book is known: every resting order at or before this place in the queue is in memory.
struct Horizon: Sendable {
    var key: Int64
    var priority: Seq

    /// Nothing is known.
    static let unloaded = Horizon(key: .max, priority: Seq(.min))
    /// Everything is known.
    static let complete = Horizon(key: .min, priority: Seq(.max))

    /// No price has this key: prices are positive.
    var isComplete: Bool { key == .min }

    @inline(__always)
    func contains(key: Int64, priority: Seq) -> Bool {
        key > self.key || (key == self.key && priority <= self.priority)
    }
}

/// The bids or the asks: levels, the queues of orders in them, and how far they are known.
struct BookSide: Sendable {
    let side: Side
    var horizon: Horizon
    var levels = PriceLevels()

    @inline(__always)
    func key(_ price: PriceTicks) -> Int64 { side == .bid ? price.rawValue : -price.rawValue }

    @inline(__always)
    func price(_ key: Int64) -> PriceTicks { PriceTicks(side == .bid ? key : -key) }

    /// The order that is served first, or `none`.
    @inline(__always)
    var first: Int32 { levels.best == none ? none : levels.nodes[Int(levels.best)].head }

    /// The order served after another one, or `none`.
    @inline(__always)
    func after(_ slot: Int32, _ pool: borrowing OrderPool) -> Int32 {
        let next = pool.slots[Int(slot)].next
        if next != none { return next }
        let worse = levels.nodes[Int(pool.slots[Int(slot)].level)].worse
        return worse == none ? none : levels.nodes[Int(worse)].head
    }

    /// The side is known up to and including a row, or to its end.
    mutating func extendHorizon(past row: RestingOrder?, reachesEnd: Bool) {
        if reachesEnd {
            horizon = .complete
        } else if let row, !horizon.contains(key: key(row.price), priority: row.priority) {
            horizon = Horizon(key: key(row.price), priority: row.priority)
        }
    }

    /// Puts an order at the back of its level.
    mutating func append(_ slot: Int32, _ pool: inout OrderPool) {
        let level = levels.level(for: key(pool.slots[Int(slot)].price))
        link(slot, after: levels.nodes[Int(level)].tail, level: level, &pool)
    }

    /// Puts an order into its level by priority, looking from the back.
    mutating func insert(_ slot: Int32, _ pool: inout OrderPool) {
        let level = levels.level(for: key(pool.slots[Int(slot)].price))
        let priority = pool.slots[Int(slot)].priority
        var previous = levels.nodes[Int(level)].tail
        while previous != none, pool.slots[Int(previous)].priority > priority {
            previous = pool.slots[Int(previous)].previous
        }
        link(slot, after: previous, level: level, &pool)
    }

    /// Puts an order right behind a neighbour at the same price.
    mutating func insert(_ slot: Int32, behind neighbour: Int32, _ pool: inout OrderPool) {
        link(slot, after: neighbour, level: pool.slots[Int(neighbour)].level, &pool)
    }

    /// Takes an order out of its level, and the level out of the side when that was its last order.
    mutating func unlink(_ slot: Int32, _ pool: inout OrderPool) {
        let (next, previous, level) = (
            pool.slots[Int(slot)].next, pool.slots[Int(slot)].previous, pool.slots[Int(slot)].level
        )
        if next == none { levels.nodes[Int(level)].tail = previous } else { pool.slots[Int(next)].previous = previous }
        if previous == none { levels.nodes[Int(level)].head = next } else { pool.slots[Int(previous)].next = next }
        levels.nodes[Int(level)].amount -= Int128(pool.slots[Int(slot)].open.rawValue)
        levels.nodes[Int(level)].orders -= 1
        if levels.nodes[Int(level)].orders == 0 { levels.remove(level) }
    }

    private mutating func link(_ slot: Int32, after previous: Int32, level: Int32, _ pool: inout OrderPool) {
        let next = previous == none ? levels.nodes[Int(level)].head : pool.slots[Int(previous)].next
        pool.slots[Int(slot)].level = level
        pool.slots[Int(slot)].previous = previous
        pool.slots[Int(slot)].next = next
        if previous == none { levels.nodes[Int(level)].head = slot } else { pool.slots[Int(previous)].next = slot }
        if next == none { levels.nodes[Int(level)].tail = slot } else { pool.slots[Int(next)].previous = slot }
        levels.nodes[Int(level)].amount += Int128(pool.slots[Int(slot)].open.rawValue)
        levels.nodes[Int(level)].orders += 1
    }
}
