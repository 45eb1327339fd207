import NIOCore
import OrderBook

/// What waits, by who sent it: addresses take turns, so do the users of an address, and the senders of a user. A value: it
/// decides, and does nothing.
///
/// Of one sender all leaves in the order in which it came. Each step costs the same however much waits and of however many.
struct FairQueue<Element> {
    private struct Lane {
        var sender: Sender
        var user: Int
        var waiting: CircularBuffer<Element> = []
        /// Turns that were paid for ahead, by something that cost more than one.
        var turnsOwed = 0
    }

    private struct UserKey: Hashable {
        var address: ClientAddress
        var user: UserID
    }

    /// A user or an address: whose turn it is of those below.
    private struct Group<Key> {
        var key: Key
        var parent: Int
        var turns: CircularBuffer<Int> = []
    }

    let elementsMax: Int
    private(set) var count = 0
    private var lanes = Slab<Lane>()
    private var users = Slab<Group<UserKey>>()
    private var addresses = Slab<Group<ClientAddress>>()
    private var turns: CircularBuffer<Int> = []
    private var laneOf: [UInt64: Int] = [:]
    private var userOf: [UserKey: Int] = [:]
    private var addressOf: [ClientAddress: Int] = [:]
    /// A lane that was the longest when last looked.
    private var long = 0

    init(elementsMax: Int) { self.elementsMax = elementsMax }

    var isEmpty: Bool { count == 0 }

    /// Puts something in line.
    /// - Returns: what there is no room for: this, or the newest of whoever has more waiting.
    mutating func put(_ element: Element, from sender: Sender) -> Element? {
        guard count >= elementsMax else {
            append(element, sender)
            return nil
        }
        let own = laneOf[sender.lane].map { lanes[$0].waiting.count } ?? 0
        guard let long = lane(longerThan: own + 1) else { return element }
        count -= 1
        let newest = lanes[long].waiting.removeLast()
        append(element, sender)
        return newest
    }

    private mutating func append(_ element: Element, _ sender: Sender) {
        count += 1
        let lane = laneOf[sender.lane] ?? newLane(of: sender)
        lanes[lane].waiting.append(element)
        if !lanes.holds(long) || lanes[lane].waiting.count > lanes[long].waiting.count { long = lane }
    }

    /// What is here waits, so that who is new has a turn from now on.
    private mutating func newLane(of sender: Sender) -> Int {
        let key = UserKey(address: sender.address, user: sender.user)
        let user = userOf[key] ?? newUser(key)
        let lane = lanes.insert(Lane(sender: sender, user: user))
        laneOf[sender.lane] = lane
        users[user].turns.append(lane)
        return lane
    }

    private mutating func newUser(_ key: UserKey) -> Int {
        let address = addressOf[key.address] ?? newAddress(key.address)
        let user = users.insert(Group(key: key, parent: address))
        userOf[key] = user
        addresses[address].turns.append(user)
        return user
    }

    private mutating func newAddress(_ key: ClientAddress) -> Int {
        let address = addresses.insert(Group(key: key, parent: 0))
        addressOf[key] = address
        turns.append(address)
        return address
    }

    private mutating func lane(longerThan count: Int) -> Int? {
        if !lanes.holds(long) || lanes[long].waiting.count <= count { findLongest() }
        return lanes.holds(long) && lanes[long].waiting.count > count ? long : nil
    }

    private mutating func findLongest() {
        long = lanes.indices.max { lanes[$0].waiting.count < lanes[$1].waiting.count } ?? 0
    }

    /// Whether some sender surely has more than so much in line.
    mutating func hasSender(withMoreThan count: Int) -> Bool {
        if !lanes.holds(long) { findLongest() }
        return lanes.holds(long) && lanes[long].waiting.count > count
    }

    /// The next, what it costs, and whether its sender has nothing else in line.
    mutating func take() -> (element: Element, cost: Int, isLast: Bool)? {
        while let address = turns.first, let user = addresses[address].turns.first,
            let lane = users[user].turns.first
        {
            if lanes[lane].turnsOwed > 0 {
                lanes[lane].turnsOwed -= 1
                endTurn(address, user, lane)
                continue
            }
            let element = lanes[lane].waiting.removeFirst()
            // As its sender stands now: what it had in line when it began to be refused costs the same.
            let cost = lanes[lane].sender.cost
            let isLast = lanes[lane].waiting.isEmpty
            lanes[lane].turnsOwed = cost - 1
            count -= 1
            endTurn(address, user, lane)
            return (element, cost, isLast)
        }
        return nil
    }

    /// Whoever has more waiting comes last from now on; whoever has not is forgotten.
    private mutating func endTurn(_ address: Int, _ user: Int, _ lane: Int) {
        turns.removeFirst()
        addresses[address].turns.removeFirst()
        users[user].turns.removeFirst()
        if lanes[lane].waiting.isEmpty {
            laneOf[lanes[lane].sender.lane] = nil
            lanes.remove(lane)
        } else {
            users[user].turns.append(lane)
        }
        if users[user].turns.isEmpty {
            userOf[users[user].key] = nil
            users.remove(user)
        } else {
            addresses[address].turns.append(user)
        }
        if addresses[address].turns.isEmpty {
            addressOf[addresses[address].key] = nil
            addresses.remove(address)
        } else {
            turns.append(address)
        }
    }
}

/// Values at places that stay theirs until they are removed.
private struct Slab<Value> {
    private var values: [Value?] = []
    private var free: [Int] = []

    var indices: [Int] { values.indices.filter { values[$0] != nil } }

    func holds(_ index: Int) -> Bool { index < values.count && values[index] != nil }

    subscript(index: Int) -> Value {
        get { values[index]! }
        _modify { yield &values[index]! }
    }

    mutating func insert(_ value: Value) -> Int {
        if let index = free.popLast() {
            values[index] = value
            return index
        }
        values.append(value)
        return values.count - 1
    }

    mutating func remove(_ index: Int) {
        values[index] = nil
        free.append(index)
    }
}
