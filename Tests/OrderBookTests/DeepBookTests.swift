import OrderBook
import TestRandom
import Testing

/// The levels of one side by price, in the plainest code.
private struct PlainLevels {
    var amounts: [Int64: Int64] = [:]

    func sorted(_ side: Side) -> [Level] {
        amounts.filter { $0.value > 0 }.sorted { side == .bid ? $0.key > $1.key : $0.key < $1.key }
            .map { Level(price: PriceTicks($0.key), amount: Int128($0.value), orders: Int($0.value)) }
    }
}

@Test(arguments: [1, 2, 3], Side.allCases)
func `a book of thousands of levels stays in order while they come and go`(seed: Int, side: Side) {
    var generator = SeededGenerator(seed: UInt64(seed))
    var fixture = BookFixture()
    var plain = PlainLevels()
    var live: [(number: UInt64, price: Int64)] = []
    // Three times as many come as go, then all go, in an order of their own.
    for number in 1...12_000 as ClosedRange<UInt64> {
        let comes = number <= 8_000 && (live.isEmpty || Int.random(in: 0..<4, using: &generator) > 0)
        if comes {
            let price = Int64.random(in: 1...3_000, using: &generator)
            fixture.execute(Options().place(side, 1, price))
            live.append((number, price))
            plain.amounts[price, default: 0] += 1
        } else if let index = live.indices.randomElement(using: &generator) {
            let (cancelled, price) = live[index]
            live.swapAt(index, live.count - 1)
            live.removeLast()
            #expect(fixture.cancel(cancelled).code == .cancelled)
            plain.amounts[price, default: 0] -= 1
        }
        if number % 997 == 0 { #expect(fixture.book.levels(side) == plain.sorted(side), "seed \(seed)") }
    }
    #expect(fixture.book.levels(side, depth: 3) == Array(plain.sorted(side).prefix(3)))
    #expect(fixture.book.levels(side.opposite) == [])
}

@Test(arguments: [1, 2, 3])
func `hundreds of gtd orders expire in order, whichever leave before`(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    var fixture = BookFixture()
    var standing: [(expires: Int64, number: UInt64)] = []
    for number in 1...600 as ClosedRange<UInt64> {
        let expires = Int64.random(in: 10...300, using: &generator)
        fixture.buy(1, at: 10, .gtd(expires))
        standing.append((expires, number))
    }
    standing.shuffle(using: &generator)
    for _ in 0..<300 { fixture.cancel(standing.removeLast().number) }
    _ = fixture.book.takeJournal()
    standing.sort { ($0.expires, $0.number) < ($1.expires, $1.number) }
    for time in stride(from: 0, through: 300, by: 7) {
        fixture.time = Int64(time)
        fixture.execute(.expire)
        let expired = standing.prefix { $0.expires <= Int64(time) }
        #expect(fixture.book.takeJournal().closed.map(\.order.id.low) == expired.map(\.number), "seed \(seed)")
        standing.removeFirst(expired.count)
    }
}
