import NIOCore
import Testing

@testable import Gateway

@Suite struct OutboxTests {
    private func frame(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    private func drain(_ outbox: inout Outbox) -> [String] {
        var texts: [String] = []
        while let frame = outbox.pop() { texts.append(String(buffer: frame)) }
        return texts
    }

    @Test func `frames leave in the order in which they came`() {
        var outbox = Outbox(bytesMax: 100)
        for text in ["a", "b", "c"] { outbox.push(frame(text)) }
        #expect(outbox.byteCount == 3)
        let drained = drain(&outbox)
        #expect(drained == ["a", "b", "c"])
        #expect(outbox.byteCount == 0)
    }

    @Test func `a newer book takes the place of an older one of its market that still waits`() {
        var outbox = Outbox(bytesMax: 100)
        outbox.pushBook(frame("X1"), market: "X")
        outbox.push(frame("order"))
        outbox.pushBook(frame("Y1"), market: "Y")
        outbox.pushBook(frame("X2"), market: "X")
        outbox.pushBook(frame("X3"), market: "X")
        #expect(outbox.booksDropped == 2)
        let drained = drain(&outbox)
        #expect(drained == ["X3", "order", "Y1"])
        outbox.pushBook(frame("X4"), market: "X")
        let later = drain(&outbox)
        #expect(later == ["X4"])
    }

    @Test func `books alone never fill the outbox, other frames do`() {
        var outbox = Outbox(bytesMax: 50)
        for number in 0..<1_000 { outbox.pushBook(frame("book \(number)"), market: "X") }
        #expect(!outbox.isOverfull)
        var count = 0
        while !outbox.isOverfull {
            outbox.push(frame("order"))
            count += 1
        }
        #expect(count == 9)
        let drained = drain(&outbox)
        #expect(drained == ["book 999"] + Array(repeating: "order", count: 9))
    }
}
