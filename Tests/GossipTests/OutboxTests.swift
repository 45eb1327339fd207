import OrderBook
import Replication
import Testing

@testable import Gossip

/// What waits for one peer, and what is given up when it is slow.
@Suite struct OutboxTests {
    /// Room for ten payloads of 76 bytes: a frame of 100.
    private func outbox(credit: Int = 0) -> Outbox {
        var limits = MeshLimits()
        limits.pushBytesMax = 500
        limits.outboxBytesMax = 1_000
        var outbox = Outbox(limits: limits)
        outbox.add(credit: credit)
        return outbox
    }

    private func payload(_ number: UInt8) -> [UInt8] { Array(repeating: number, count: 76) }

    private func numbers(_ outbox: inout Outbox) -> [UInt8] {
        var numbers: [UInt8] = []
        while let frame = outbox.next() { numbers.append(frame.payload[0]) }
        return numbers
    }

    @Test func `messages leave in their order, as far as the credit goes`() {
        var outbox = outbox(credit: 250)
        for number in 1...4 { #expect(outbox.append(payload(UInt8(number)), .other) == .queued) }
        #expect(numbers(&outbox) == [1, 2])
        #expect(outbox.credit == 50)
        outbox.add(credit: 49)
        #expect(numbers(&outbox) == [])
        outbox.add(credit: 1)
        #expect(numbers(&outbox) == [3])
        #expect(outbox.bytes == 100)
    }

    @Test func `pushed commands are given up first, and nothing waits beyond the bound`() {
        var outbox = outbox()
        for number in 1...5 { #expect(outbox.append(payload(UInt8(number)), .push) == .queued) }
        #expect(outbox.append(payload(6), .push) == .dropped)
        for number in 7...11 { #expect(outbox.append(payload(UInt8(number)), .other) == .queued) }
        #expect(outbox.append(payload(12), .other) == .overflow)
        #expect(outbox.bytes == 1_000)
        outbox.add(credit: 1_000)
        #expect(numbers(&outbox) == [1, 2, 3, 4, 5, 7, 8, 9, 10, 11])
    }

    @Test func `of heartbeats only the newest waits, in its place among the messages`() {
        var outbox = outbox()
        _ = outbox.append(payload(1), .heartbeat)
        _ = outbox.append(payload(2), .other)
        for number in 3...100 { #expect(outbox.append(payload(UInt8(number)), .heartbeat) == .queued) }
        #expect(outbox.bytes == 200)
        outbox.add(credit: 1_000)
        #expect(numbers(&outbox) == [2, 100])
    }

    @Test func `credit goes before messages, and messages before a snapshot's parts`() {
        var outbox = outbox(credit: 1_000)
        outbox.append(bulk: [9])
        _ = outbox.append(payload(1), .other)
        outbox.add(room: 5)
        outbox.add(room: 256)
        let first = outbox.next()
        #expect(first?.kind == .credit && first?.payload == [0, 0, 0, 0, 0, 0, 1, 5])
        #expect(numbers(&outbox) == [1, 9])
    }

    @Test func `only what will be pulled may be given up`() {
        let item = JudgedItem(
            LogItem(
                number: 1,
                command: Command(
                    id: OrderID(high: 0, low: 1), time: Timestamp(1), market: "M", user: UserID("u"), action: .halt)),
            .accepted)
        #expect(Message.items(Items(reason: .pushed, items: [item])).role == .push)
        #expect(Message.items(Items(reason: .relayed, items: [item])).role == .push)
        #expect(Message.items(Items(reason: .pulled, items: [item])).role == .other)
        #expect(Message.late([]).role == .other)
    }
}
