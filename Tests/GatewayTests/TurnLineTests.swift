import TestRandom
import Testing

@testable import Gateway

@Suite struct TurnLineTests {
    private func drained(_ line: TurnLine<String>) -> String {
        var line = line
        var taken = ""
        while let next = line.next() { taken += next.element }
        return taken
    }

    @Test func `whoever has had least comes next, and of equals whoever came first`() {
        var line = TurnLine<String>()
        line.join("c", end: 3)
        line.join("a", end: 1)
        line.join("d", end: 3)
        line.join("b", end: 2)
        #expect(drained(line) == "abcd")
    }

    @Test func `who is new stands behind those who have had as little, and before those who have had more`() {
        var line = TurnLine<String>(now: 10)
        line.join("b", end: 11)
        line.join("a", end: 0)
        line.join("n", end: 0)
        #expect(drained(line) == "anb")
    }

    @Test
    func `who has had less than its share goes ahead, no further than its credit, and no further than what it lacks`() {
        var line = TurnLine<String>(now: 100)
        line.join("a", end: 100)
        line.join("far", end: 0, credit: 16)
        line.join("near", end: 90, credit: 16)
        line.join("none", end: 120, credit: 16)
        let starts = [line.next()?.start, line.next()?.start]
        #expect(starts == [84, 90])
        // Virtual time does not go back.
        #expect(line.now == 100)
        #expect(drained(line) == "anone")
    }

    @Test func `over time each has its share, and nobody waits longer than one turn of each`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var line = TurnLine<Int>()
        let costs = (0..<20).map { _ in Int.random(in: 1...16, using: &random) }
        var had = Array(repeating: 0, count: costs.count)
        for index in costs.indices { line.join(index, end: 0) }
        for _ in 0..<20_000 {
            guard let (index, start) = line.next() else { return }
            had[index] += costs[index]
            line.join(index, end: start + UInt64(costs[index]))
            #expect(had.max()! - had.min()! <= 2 * 16)
        }
    }
}

@Suite struct FairTurnsTests {
    private let home = ClientAddress(IPAddress("192.0.2.1")!)
    private let away = ClientAddress(IPAddress("192.0.2.2")!)

    @Test func `a connection counts as its part of its address`() {
        var turns = FairTurns<Int>()
        var accounts = (0..<10).map { FairTurns<Int>.Account($0 == 9 ? away : home) }
        for index in accounts.indices { turns.wait(index, accounts[index]) }
        var had = Array(repeating: 0, count: 10)
        for _ in 0..<1_800 {
            guard let index = turns.next() else { break }
            had[index] += 1
            turns.charge(&accounts[index], 1)
            turns.wait(index, accounts[index])
        }
        // Nine of one address, and one of another: that one has as much as those nine.
        #expect((800...1_000).contains(had[9]))
        #expect(had[..<9].allSatisfy { (80...120).contains($0) })
    }

    @Test func `who has left is not called, and counts no more`() {
        var turns = FairTurns<Int>()
        let account = FairTurns<Int>.Account(home)
        turns.wait(1, account)
        turns.wait(2, account)
        turns.remove(account) { $0 == 1 }
        let taken = [turns.next(), turns.next()]
        #expect(taken == [2, nil])
        var alone = account
        turns.charge(&alone, 5)
        turns.wait(3, alone)
        turns.wait(4, FairTurns<Int>.Account(away))
        let next = turns.next()
        #expect(next == 4)
    }
}
