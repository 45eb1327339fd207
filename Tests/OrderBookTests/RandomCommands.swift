import OrderBook
import TestRandom

/// Commands of all kinds in a price range so small that everything collides.
struct RandomCommands {
    var generator: SeededGenerator
    private var time: Int64 = 1_000
    private var count: UInt64 = 0
    private var placed: [OrderID] = []
    private let users = ["ann", "bob", "cy", "dé", "de\u{301}"].map { UserID($0) }
    /// Seeds differ in how wide the prices lie, so that some books are deep and others thin.
    private let spread: Int64

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        spread = Int64.random(in: 2...25, using: &generator)
    }

    mutating func next() -> (command: Command, isLate: Bool) {
        let isLate = chance(50)
        time += chance(10) ? -5 : Int64.random(in: 0...4, using: &generator)
        count += 1
        // Not in the order of time, for ids break ties of expiry.
        let id = OrderID(high: generator.next() >> 60, low: count)
        let user = users.randomElement(using: &generator)!
        let action = action()
        if case .place = action { placed.append(id) }
        let command = Command(
            id: chance(300) ? placed.last ?? id : id, time: Timestamp(time), market: "M", user: user,
            origin: chance(2) ? "" : "node-a", clientOrderID: chance(3) ? "client/\(count)" : nil, action: action)
        return (command, isLate)
    }

    private mutating func chance(_ outOf: Int) -> Bool { Int.random(in: 0..<outOf, using: &generator) == 0 }

    private mutating func action() -> Command.Action {
        switch Int.random(in: 0..<1_000, using: &generator) {
        case ..<560: .place(place())
        case ..<720: .cancel(target())
        case ..<940: .amend(Amend(target: target(), change: change()))
        case ..<960: .cancelAll(CancelAll(owner: users.randomElement(using: &generator), side: side()))
        case ..<963: .cancelAll(CancelAll(owner: nil, side: side()))
        case ..<966: .halt
        case ..<985: .resume
        default: .expire
        }
    }

    private mutating func side() -> Side? { [Side.bid, .ask, nil].randomElement(using: &generator)! }

    private mutating func price() -> PriceTicks {
        PriceTicks(
            chance(200)
                ? Int64.random(in: -1...0, using: &generator)
                : 100 + Int64.random(in: -spread...spread, using: &generator))
    }

    private mutating func amount() -> AmountLots {
        AmountLots(chance(200) ? 0 : Int64.random(in: 1...20, using: &generator))
    }

    private mutating func place() -> Place {
        let timeInForce: TimeInForce =
            switch Int.random(in: 0..<10, using: &generator) {
            case ..<5: .gtc
            case 5: .ioc
            case 6: .fok
            default: .gtd(expires: Timestamp(time + Int64.random(in: -2...120, using: &generator)))
            }
        return Place(
            side: chance(2) ? .bid : .ask, price: chance(8) ? nil : price(), amount: amount(),
            timeInForce: timeInForce, postOnly: chance(8),
            selfTradePrevention: chance(2) ? SelfTradePrevention.allCases.randomElement(using: &generator) : nil)
    }

    private mutating func change() -> Amend.Change {
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: .reduce(by: amount())
        case 1: .replace(open: chance(60) ? AmountLots(.max) : amount(), price: price())
        default: .to(amount: chance(3) ? nil : amount(), price: chance(2) ? nil : price())
        }
    }

    private mutating func target() -> OrderID {
        if chance(40) || placed.isEmpty { return OrderID(high: 99, low: count) }
        return placed.suffix(chance(4) ? 400 : 40).randomElement(using: &generator)!
    }
}
