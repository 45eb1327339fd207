import OrderBook
import TestRandom
import Testing

@testable import Gateway

@Suite struct FairQueueTests {
    private let home = ClientAddress(IPAddress("192.0.2.1")!)
    private let away = ClientAddress(IPAddress("192.0.2.2")!)

    private func sender(_ user: String, at address: ClientAddress) -> Sender {
        Sender(address: address, user: UserID(user))
    }

    private func drain(_ queue: inout FairQueue<String>) -> [String] {
        var taken: [String] = []
        while let next = queue.take() { taken.append(next.element) }
        return taken
    }

    @Test func `senders take turns, and what one sent stays in its order`() {
        var queue = FairQueue<String>(elementsMax: 100)
        let (a, b) = (sender("a", at: home), sender("b", at: home))
        for number in 1...4 { _ = queue.put("a\(number)", from: a) }
        for number in 1...2 { _ = queue.put("b\(number)", from: b) }
        #expect(queue.count == 6)
        let taken = drain(&queue)
        #expect(taken == ["a1", "b1", "a2", "b2", "a3", "a4"])
        #expect(queue.isEmpty)
    }

    @Test func `a user has one turn however many sockets it has, and an address however many users`() {
        var queue = FairQueue<String>(elementsMax: 100)
        let sockets = (0..<3).map { _ in sender("a", at: home) }
        for (number, socket) in sockets.enumerated() { _ = queue.put("a\(number)", from: socket) }
        for number in 0..<3 { _ = queue.put("b\(number)", from: sender("b\(number)", at: home)) }
        for number in 0..<3 { _ = queue.put("c\(number)", from: sender("c", at: away)) }
        let taken = drain(&queue)
        #expect(taken == ["a0", "c0", "b0", "c1", "b1", "c2", "b2", "a1", "a2"])
    }

    @Test func `what costs more is paid for with turns`() {
        var queue = FairQueue<String>(elementsMax: 100)
        let (a, b) = (sender("a", at: home), sender("b", at: home))
        for _ in 0..<3 { _ = queue.put("a", from: a) }
        for _ in 0..<8 { _ = queue.put("b", from: b) }
        // Known only when all of it is in line already.
        for _ in 0..<2 { queue.note(a, isRefusal: true) }
        let taken = drain(&queue)
        #expect(taken.joined() == "abbbbabbbba")
    }

    @Test func `who has had less than its share is next, whoever stands before it`() {
        var queue = FairQueue<String>(elementsMax: 1_000)
        let others = (0..<8).map { sender("o\($0)", at: home) }
        let light = sender("light", at: home)
        _ = queue.put("first", from: light)
        var first = drain(&queue)
        #expect(first == ["first"])
        for other in others { for _ in 0..<20 { _ = queue.put("o", from: other) } }
        for other in others { for _ in 0..<20 { queue.note(other, isRefusal: true) } }
        first = (0..<12).compactMap { _ in queue.take()?.element }
        // In the middle of a round of those whose turns are long.
        _ = queue.put("second", from: light)
        #expect(first.allSatisfy { $0 == "o" })
        let next = queue.take()?.element
        #expect(next == "second")
    }

    @Test func `who comes one at a time and always at once has no more than its share`() {
        var queue = FairQueue<String>(elementsMax: 10_000)
        let (much, often) = (sender("much", at: home), sender("often", at: home))
        for _ in 0..<2_000 { _ = queue.put("much", from: much) }
        var count = 0
        for _ in 0..<1_000 {
            _ = queue.put("often", from: often)
            while let next = queue.take()?.element, next != "often" { count += 1 }
        }
        #expect((980...1_000).contains(count))
    }

    @Test func `of a user without a past its address speaks, and sockets of one user have one past`() {
        var queue = FairQueue<String>(elementsMax: 100)
        let (bad, good) = (sender("bad", at: home), sender("good", at: away))
        for sender in [bad, good] { _ = queue.put("", from: sender) }
        _ = drain(&queue)
        for _ in 0..<20 { queue.note(bad, isRefusal: true) }
        for sender in [sender("bad", at: home), sender("new", at: home), sender("new", at: away), good] {
            _ = queue.put("", from: sender)
        }
        var costs: [Int] = []
        while let next = queue.take() { costs.append(next.cost) }
        #expect(costs.sorted() == [1, 1, 4, 16])
    }

    @Test func `who has nothing in line is forgotten when there are too many`() {
        var queue = FairQueue<String>(elementsMax: 10_000, usersKeptMax: 10)
        for round in 0..<100 {
            for number in 0..<5 {
                _ = queue.put("", from: sender("\(round) \(number)", at: number % 2 == 0 ? home : away))
            }
            #expect(drain(&queue).count == 5)
        }
        #expect(queue.usersKept <= 16)
    }

    @Test func `a full line takes from the longest and gives to the short`() {
        var queue = FairQueue<String>(elementsMax: 4)
        let (a, b) = (sender("a", at: home), sender("b", at: away))
        for number in 1...4 { #expect(queue.put("a\(number)", from: a) == nil) }
        #expect(queue.put("a5", from: a) == "a5")
        #expect(queue.put("b1", from: b) == "a4")
        #expect(queue.put("b2", from: b) == "a3")
        #expect(queue.put("b3", from: b) == "b3")
        #expect(queue.count == 4)
        let taken = drain(&queue)
        #expect(taken == ["a1", "b1", "a2", "b2"])
    }

    @Test func `nothing is lost or doubled, and no sender overtakes itself, whatever comes`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var queue = FairQueue<String>(elementsMax: 200)
        let senders = (0..<12).map { sender("u\($0 % 5)", at: $0 % 2 == 0 ? home : away) }
        var sent = Array(repeating: 0, count: senders.count)
        // What each has in line, in order.
        var lines = Array(repeating: [String](), count: senders.count)
        for _ in 0..<20_000 {
            let index = Int(random.next() % UInt64(senders.count))
            if random.next() % 3 > 0 {
                sent[index] += 1
                let element = "\(index):\(sent[index])"
                lines[index].append(element)
                queue.note(senders[index], isRefusal: random.next() % 2 == 0)
                if let refused = queue.put(element, from: senders[index]) {
                    let owner = Int(refused.prefix { $0 != ":" })!
                    #expect(lines[owner].popLast() == refused)
                    #expect(lines[owner].count + 1 >= lines[index].count)
                }
            } else if let taken = queue.take()?.element {
                let owner = Int(taken.prefix { $0 != ":" })!
                #expect(lines[owner].removeFirst() == taken)
            }
            #expect(queue.count == lines.map(\.count).reduce(0, +))
        }
        while let taken = queue.take()?.element {
            #expect(lines[Int(taken.prefix { $0 != ":" })!].removeFirst() == taken)
        }
        #expect(!lines.contains { !$0.isEmpty })
    }
}
