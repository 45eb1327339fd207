import NIOCore
import TestRandom
import Testing

@testable import Gossip

@Suite struct LimitsTests {
    @Test func `the bounds do not contradict each other, and one that does is named`() {
        #expect(MeshLimits().contradiction == nil)
        var limits = MeshLimits()
        limits.inboxBytesMax = limits.frameBytesMax
        #expect(limits.contradiction == "inboxBytesMax must be well above frameBytesMax")
        limits = MeshLimits()
        limits.idleTimeout = 100
        #expect(limits.contradiction == "staleAfter must not be above idleTimeout")
    }

    @Test func `so many frames a second are taken, and no more`() {
        var limits = MeshLimits()
        limits.framesPerSecondMax = 1_000
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var rate = RateLimit(limits: limits, now: now)
        let end = now + .seconds(10)
        var taken = 0
        while now < end {
            if let pause = rate.pause(now: now) {
                now = now + pause
            } else {
                rate.spend(bytes: 100)
                taken += 1
            }
        }
        // The bucket was full at first.
        #expect((10_900...11_010).contains(taken), "\(taken)")
    }

    @Test func `one large frame is taken at once, and then waited for`() {
        var limits = MeshLimits()
        limits.bytesPerSecondMax = 1_000_000
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var rate = RateLimit(limits: limits, now: now)
        rate.spend(bytes: 4_000_000)
        let pause = rate.pause(now: now) ?? .zero
        #expect((TimeAmount.milliseconds(3_000)...TimeAmount.milliseconds(3_010)).contains(pause))
        let later = rate.pause(now: now + .milliseconds(1_500))
        #expect(later != nil)
    }

    @Test func `the wait before dialling again doubles up to its bound, with jitter`() {
        var generator = SeededGenerator(seed: 1)
        var limits = MeshLimits()
        limits.dialDelayMin = 100
        limits.dialDelayMax = 1_000
        var delay = DialDelay(limits: limits)
        for due in [100, 200, 400, 800, 1_000, 1_000] {
            let wait = delay.next(using: &generator)
            #expect((.milliseconds(due / 2)...Duration.milliseconds(due)).contains(wait), "\(due)")
        }
        for _ in 0..<100 { _ = delay.next(using: &generator) }
        delay.reset()
        #expect(delay.next(using: &generator) <= .milliseconds(100))
        let waits = Set((0..<20).map { _ in delay.next(using: &generator) })
        #expect(waits.count > 5)
    }
}
