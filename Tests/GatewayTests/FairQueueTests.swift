import OrderBook
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
        for _ in 0..<3 { a.noteAnswer(isRefusal: true) }
        let taken = drain(&queue)
        #expect(taken.joined() == "abbbbabbbba")
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
        var random = Seeded(state: seed)
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
                senders[index].noteAnswer(isRefusal: random.next() % 2 == 0)
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

    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
    }
}
