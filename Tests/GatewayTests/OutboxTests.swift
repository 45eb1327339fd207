import NIOCore
import Testing

@testable import Gateway

@Suite struct OutboxTests {
    private func outbox(bytesMax: Int = 100) -> Outbox {
        Outbox(bounds: .init(bytesMax: bytesMax, bytesEverMax: 10 * bytesMax, patience: .seconds(5)))
    }

    private func frame(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    private func drain(_ outbox: inout Outbox) -> [String] {
        var texts: [String] = []
        while let item = outbox.pop() {
            switch item {
            case .frame(let frame): texts.append(String(buffer: frame))
            case .book(let market): texts.append("book \(market)")
            case .delivery: texts.append("delivery")
            }
        }
        return texts
    }

    private func second(_ number: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(number) }

    @Test func `frames leave in the order in which they came`() {
        var outbox = outbox()
        for text in ["a", "b", "c"] { outbox.push(frame(text)) }
        #expect(outbox.byteCount == 3)
        let drained = drain(&outbox)
        #expect(drained == ["a", "b", "c"])
        #expect(outbox.byteCount == 0)
    }

    @Test func `of one market one book waits, at the place of the first`() {
        var outbox = outbox()
        outbox.pushBook(market: 1)
        outbox.push(frame("order"))
        outbox.pushBook(market: 2)
        outbox.pushBook(market: 1)
        outbox.pushBook(market: 1)
        #expect(outbox.booksDropped == 2)
        let drained = drain(&outbox)
        #expect(drained == ["book 1", "order", "book 2"])
        outbox.pushBook(market: 1)
        outbox.pushBook(market: 2)
        outbox.forgetBooks()
        outbox.pushBook(market: 2)
        let later = drain(&outbox)
        #expect(later == ["book 2"])
    }

    @Test func `books alone never fill the outbox, however many markets there are`() {
        var outbox = outbox()
        for market in 0..<10_000 { outbox.pushBook(market: market) }
        let judgement = outbox.judge(now: second(0))
        #expect(judgement == .fine)
    }

    @Test func `a client that takes nothing is cut off when it has had its time, and not for bytes alone`() {
        var outbox = outbox(bytesMax: 10)
        outbox.push(frame("12345678901"))
        var judgements: [Outbox.Judgement] = []
        for number in [0, 3, 5] as [Int64] { judgements.append(outbox.judge(now: second(number))) }
        #expect(judgements == [.watch(until: second(5)), .watch(until: second(5)), .cutOff])
    }

    @Test func `a client that reads is not cut off, though more waits all the time than may`() {
        var outbox = outbox(bytesMax: 8)
        for _ in 0..<30 { outbox.push(frame("ab")) }
        for number in 0..<20 as Range<Int64> {
            let judgement = outbox.judge(now: second(number * 5))
            #expect(judgement == .watch(until: second(number * 5 + 5)))
            _ = outbox.pop()
        }
    }

    @Test func `what waits has a bound for those who read too`() {
        var outbox = outbox(bytesMax: 10)
        for _ in 0..<51 { outbox.push(frame("ab")) }
        let judgement = outbox.judge(now: second(0))
        #expect(judgement == .cutOff)
    }
}
