import NIOCore
import OrderBook

/// What waits, by who sent it: addresses share what there is, so do the users of an address, and the senders of a user. A
/// value: it decides, and does nothing.
///
/// Of one sender all leaves in the order in which it came. Whoever has had less than its share lately goes ahead of those
/// who have had more. Each step costs about the same however much waits.
struct FairQueue<Element> {
    private struct Lane {
        let number: UInt64
        var waiting: CircularBuffer<Element> = []
    }

    private struct UserKey: Hashable {
        var address: ClientAddress
        var user: UserID
    }

    /// A user or an address, whether or not somebody of it waits; and whose turn it is of those below.
    private struct Group<Key> {
        var key: Key
        var parent: Int
        var end: UInt64
        var turns = TurnLine<Int>()
        /// What its commands cost more than others, because commands of it were refused.
        var surcharge: Int

        /// The cost doubles with each that is refused, and is one less with each that is not.
        mutating func note(isRefusal: Bool) {
            surcharge = isRefusal ? min(2 * surcharge + 1, costMax - 1) : max(surcharge - 1, 0)
        }
    }

    /// What a command costs of those whose last commands were all refused; others cost 1. A refusal takes the long way
    /// through the database and leaves nothing behind.
    static var costMax: Int { 16 }

    /// How far whoever has had less than its share goes ahead.
    private static var credit: UInt64 { UInt64(costMax) }

    let elementsMax: Int
    private let usersKeptMax: Int
    private(set) var count = 0
    private var lanes = Slab<Lane>()
    private var users = Slab<Group<UserKey>>()
    private var addresses = Slab<Group<ClientAddress>>()
    private var turns = TurnLine<Int>()
    private var laneOf: [UInt64: Int] = [:]
    private var userOf: [UserKey: Int] = [:]
    private var addressOf: [ClientAddress: Int] = [:]
    /// A lane that was the longest when last looked.
    private var long = 0

    /// - Parameter usersKeptMax: users remembered while nothing of theirs waits.
    init(elementsMax: Int, usersKeptMax: Int = 4_096) {
        self.elementsMax = elementsMax
        self.usersKeptMax = usersKeptMax
    }

    var isEmpty: Bool { count == 0 }

    /// Users of whom something waits, or who are remembered.
    var usersKept: Int { userOf.count }

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

    /// Whoever is new has had its share until now.
    private mutating func newLane(of sender: Sender) -> Int {
        let key = UserKey(address: sender.address, user: sender.user)
        let user = userOf[key] ?? newUser(key)
        let lane = lanes.insert(Lane(number: sender.lane))
        laneOf[sender.lane] = lane
        let address = users[user].parent
        if addresses[address].turns.isEmpty {
            turns.join(address, end: addresses[address].end, credit: Self.credit)
        }
        if users[user].turns.isEmpty {
            addresses[address].turns.join(user, end: users[user].end, credit: Self.credit)
        }
        users[user].turns.join(lane, end: users[user].turns.now)
        return lane
    }

    private mutating func newUser(_ key: UserKey) -> Int {
        forgetIdle()
        let address = addressOf[key.address] ?? newAddress(key.address)
        let user = users.insert(
            Group(
                key: key, parent: address, end: addresses[address].turns.now,
                // Of somebody new nothing is known but its address.
                surcharge: addresses[address].surcharge / 4))
        userOf[key] = user
        return user
    }

    private mutating func newAddress(_ key: ClientAddress) -> Int {
        let address = addresses.insert(Group(key: key, parent: 0, end: turns.now, surcharge: 0))
        addressOf[key] = address
        return address
    }

    /// Forgets who has nothing waiting, when there are too many of those: it costs them what they were ahead.
    private mutating func forgetIdle() {
        guard userOf.count >= usersKeptMax + laneOf.count else { return }
        for (key, user) in userOf where users[user].turns.isEmpty {
            userOf[key] = nil
            users.remove(user)
        }
        for (key, address) in addressOf where addresses[address].turns.isEmpty {
            addressOf[key] = nil
            addresses.remove(address)
        }
    }

    /// Notes how a command fared that was taken out.
    mutating func note(_ sender: Sender, isRefusal: Bool) {
        if let user = userOf[UserKey(address: sender.address, user: sender.user)] {
            users[user].note(isRefusal: isRefusal)
        }
        if let address = addressOf[sender.address] { addresses[address].note(isRefusal: isRefusal) }
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
        guard let address = turns.next(), let user = addresses[address.element].turns.next(),
            let lane = users[user.element].turns.next()
        else { return nil }
        let element = lanes[lane.element].waiting.removeFirst()
        // As its user stands now: what it had in line when it began to be refused costs the same.
        let cost = 1 + users[user.element].surcharge
        let isLast = lanes[lane.element].waiting.isEmpty
        count -= 1
        if isLast {
            laneOf[lanes[lane.element].number] = nil
            lanes.remove(lane.element)
        } else {
            users[user.element].turns.join(lane.element, end: lane.start + UInt64(cost))
        }
        users[user.element].end = user.start + UInt64(cost)
        if !users[user.element].turns.isEmpty {
            addresses[address.element].turns.join(user.element, end: users[user.element].end)
        }
        addresses[address.element].end = address.start + UInt64(cost)
        if !addresses[address.element].turns.isEmpty {
            turns.join(address.element, end: addresses[address.element].end)
        }
        return (element, cost, isLast)
    }
}
