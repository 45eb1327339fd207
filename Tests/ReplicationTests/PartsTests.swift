import OrderBook
import Testing

@testable import Replication

struct IntervalsTests {
    @Test(
        arguments: [
            ([1, 2, 3], [1...3]), ([3, 1, 2], [1...3]), ([5, 1, 3, 4, 2], [1...5]), ([2], [2...2]),
            ([1, 9, 7, 8], [1...1, 7...9]),
            ([4, 4, 4], [4...4]),
        ] as [([Int64], [ClosedRange<Int64>])])
    func `numbers join into ranges, in whatever order they come`(numbers: [Int64], ranges: [ClosedRange<Int64>]) {
        var intervals = Intervals()
        for number in numbers { intervals.insert(number) }
        #expect(intervals.ranges == ranges)
        for number in 0...10 as ClosedRange<Int64> {
            #expect(intervals.contains(number) == ranges.contains { $0.contains(number) })
        }
    }

    @Test func `what is missing is told up to a number, and up to a bound`() {
        let intervals = Intervals([1...2, 5...6, 9...9])
        #expect(intervals.contiguous == 2)
        #expect(intervals.missing(upTo: 12, limit: 9, countMax: 100) == [3...4, 7...8, 10...12])
        #expect(intervals.missing(upTo: 7, limit: 9, countMax: 100) == [3...4, 7...7])
        #expect(intervals.missing(upTo: 12, limit: 1, countMax: 100) == [3...4])
        #expect(intervals.missing(upTo: 12, limit: 9, countMax: 3) == [3...4, 7...7])
        #expect(intervals.beyond(max: 1) == [5...6])
        #expect(Intervals([2...3]).contiguous == 0)
    }
}

struct OriginLogTests {
    @Test func `a stamp has to lie between those of its neighbours`() {
        var log = OriginLog(stored: Intervals([1...2]), lastStamp: Timestamp(20))
        log.learn(number: 5, stamp: Timestamp(50))
        #expect(log.fits(number: 3, stamp: Timestamp(30)))
        #expect(!log.fits(number: 3, stamp: Timestamp(20)))
        #expect(!log.fits(number: 4, stamp: Timestamp(50)))
        #expect(!log.fits(number: 6, stamp: Timestamp(50)))
        #expect(log.fits(number: 6, stamp: Timestamp(51)))
    }

    @Test func `the stamp of the last number without a gap moves on when the gap is filled`() {
        var log = OriginLog()
        log.learn(number: 1, stamp: Timestamp(10))
        log.learn(number: 3, stamp: Timestamp(30))
        #expect(log.contiguousStamp == Timestamp(10))
        log.learn(number: 2, stamp: Timestamp(20))
        #expect(log.contiguousStamp == Timestamp(30))
    }
}

struct PoolsTests {
    private func item(_ number: Int64, at time: Int64, id: UInt64? = nil, origin: String = "a") -> LogItem {
        LogItem(number: number, command: .sample(id: id ?? UInt64(number), at: time, origin: origin))
    }

    @Test func `pools come by stamp, and inside by canonical bytes whatever came first`() {
        var pools = Pools(memberCount: 2)
        pools.insert(item(1, at: 5, id: 9, origin: "b"), of: 1)
        pools.insert(item(1, at: 5, id: 8, origin: "a"), of: 0)
        pools.insert(item(2, at: 7), of: 0)
        #expect(pools.earliest == Timestamp(5))
        #expect(pools.latest == Timestamp(7))
        let early = pools.takePool(through: Timestamp(4))
        let first = pools.takePool(through: Timestamp(9))
        let second = pools.takePool(through: Timestamp(9))
        #expect(early == nil)
        #expect(first?.map(\.origin) == [0, 1])
        #expect(second?.map(\.entry.number) == [2])
        #expect(pools.isEmpty)
    }

    @Test func `what is refused leaves its pool`() {
        var pools = Pools(memberCount: 1)
        for number in [1, 3, 2] as [Int64] { pools.insert(item(number, at: number * 10), of: 0) }
        let (first, second) = (pools.remove(2, of: 0), pools.remove(2, of: 0))
        #expect(first && !second)
        #expect(pools.waiting(of: 0).map(\.number) == [1, 3])
        #expect(pools.others(with: OrderID(high: 0, low: 2)).isEmpty)
    }
}

struct ChainPointsTests {
    @Test func `the chain is known at every time since it begins, until it is forgotten`() {
        var chain = ChainPoints(closed: ChainPoint(through: Timestamp(10), digest: .zero), max: 3)
        var digests = [Digest.zero]
        for stamp in 1...4 as ClosedRange<Int64> {
            chain.append([[UInt8(stamp)]], stamp: Timestamp(10 * stamp + 10))
            digests.append(chain.digest)
        }
        chain.close(through: Timestamp(60))
        #expect(Set(digests).count == 5)
        #expect(chain.closed == ChainPoint(through: Timestamp(60), digest: digests[4]))
        #expect(chain.digest(at: Timestamp(60)) == digests[4])
        #expect(chain.digest(at: Timestamp(49)) == digests[3])
        #expect(chain.digest(at: Timestamp(30)) == digests[2])
        #expect(chain.digest(at: Timestamp(29)) == nil)
    }

    @Test func `it is SHA-256 of the digest before and the canonical bytes`() {
        var chain = ChainPoints(closed: ChainPoint(through: Timestamp(0), digest: .zero), max: 10)
        let bytes = Command.sample(id: 1, at: 5).canonicalBytes
        chain.append([bytes], stamp: Timestamp(5))
        #expect(chain.digest == SHA256.hash(Digest.zero.bytes + bytes))
    }
}

struct WriterTests {
    @Test func `what comes while writes are under way goes into the next as one`() {
        var writer = Writer()
        for time in 1...4 as ClosedRange<Int64> {
            writer.bound(Timestamp(time))
            _ = writer.flush()
        }
        let first = writer.finish(WriteNumber(rawValue: 1))
        #expect(first?.bound == Timestamp(1))
        guard case .write(_, let writes)? = writer.flush() else { return #expect(Bool(false), "nothing was written") }
        #expect(writes == [.bound(Timestamp(3)), .bound(Timestamp(4))])
        let unasked = writer.finish(WriteNumber(rawValue: 3))
        #expect(unasked == nil)
    }

    @Test func `nothing from the earliest accepted stamp on is durable`() {
        var writer = Writer()
        let accepted = JudgedItem(LogItem(number: 2, command: .sample(id: 2, at: 20)), .accepted)
        let late = JudgedItem(LogItem(number: 1, command: .sample(id: 1, at: 10)), .late)
        writer.store([late, accepted], origins: [0, 0], sender: 0)
        #expect(writer.earliest == Timestamp(20))
        _ = writer.flush()
        #expect(writer.earliest == Timestamp(20))
        _ = writer.finish(WriteNumber(rawValue: 1))
        #expect(writer.earliest == nil)
    }
}

struct ClockGuardTests {
    private func sample(sent: Int64, offset: Int64, there: Int64, back: Int64) -> (Heartbeat, Timestamp) {
        var heartbeat = Heartbeat.sample
        heartbeat.echo = Heartbeat.Echo(
            number: 1, sentAt: Timestamp(sent), receivedAt: Timestamp(sent + there + offset))
        heartbeat.sentAt = Timestamp(sent + there + offset)
        return (heartbeat, Timestamp(sent + there + back))
    }

    @Test func `the offset is that of the fastest round trip`() {
        var clock = ClockGuard(memberCount: 2)
        for (there, back) in [(900, 100), (10, 10), (100, 900)] as [(Int64, Int64)] {
            let (heartbeat, now) = sample(sent: 1_000, offset: 5_000, there: there, back: back)
            clock.measure(1, heartbeat: heartbeat, now: now)
        }
        #expect(clock.offset(1) == 5_000)
        #expect(clock.offset(0) == nil)
    }

    @Test(arguments: [([600, 600], true), ([600, 0], false), ([600], true), ([-600, -600, 0], true), ([], false)])
    func `a clock is off when it differs from more than half of the peers`(offsets: [Int64], isOff: Bool) {
        var clock = ClockGuard(memberCount: 5)
        for (member, offset) in offsets.enumerated() {
            let (heartbeat, now) = sample(sent: 0, offset: offset, there: 5, back: 5)
            clock.measure(member, heartbeat: heartbeat, now: now)
        }
        _ = clock.judge(limit: 400)
        #expect(clock.isOff == isOff)
    }
}

extension Command {
    static func sample(id: UInt64, at time: Int64 = 0, origin: String = "a") -> Command {
        Command(
            id: OrderID(high: 0, low: id), time: Timestamp(time), market: "M", user: UserID("u"), origin: origin,
            action: .cancel(OrderID(high: 1, low: 1)))
    }
}

extension Heartbeat {
    static let sample = Heartbeat(
        number: 1, watermark: Timestamp(0), lastNumber: 0, chain: ChainPoint(through: Timestamp(0), digest: .zero),
        positions: [], markets: [], isLevel: true, sentAt: Timestamp(0), echo: nil)
}
