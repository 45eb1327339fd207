/// Users by small numbers, so that orders hold no strings, and the resting orders of each.
struct UserTable: Sendable {
    private var numbers: [UserID: Int32] = [:]
    private(set) var names: [UserID] = []
    /// The latest order of each user, the head of a list through the slots.
    private var firstOrders: [Int32] = []

    func number(of user: UserID) -> Int32? { numbers[user] }

    var count: Int { names.count }

    mutating func intern(_ user: UserID) -> Int32 {
        if let number = numbers[user] { return number }
        let number = Int32(names.count)
        numbers[user] = number
        names.append(user)
        firstOrders.append(none)
        return number
    }

    @inline(__always)
    func firstOrder(of user: Int32) -> Int32 { firstOrders[Int(user)] }

    mutating func link(_ slot: Int32, _ pool: inout OrderPool) {
        let user = Int(pool.slots[Int(slot)].user)
        let next = firstOrders[user]
        pool.slots[Int(slot)].nextOfUser = next
        pool.slots[Int(slot)].previousOfUser = none
        if next != none { pool.slots[Int(next)].previousOfUser = slot }
        firstOrders[user] = slot
    }

    mutating func unlink(_ slot: Int32, _ pool: inout OrderPool) {
        let (next, previous) = (pool.slots[Int(slot)].nextOfUser, pool.slots[Int(slot)].previousOfUser)
        if next != none { pool.slots[Int(next)].previousOfUser = previous }
        if previous == none {
            firstOrders[Int(pool.slots[Int(slot)].user)] = next
        } else {
            pool.slots[Int(previous)].nextOfUser = next
        }
    }
}
