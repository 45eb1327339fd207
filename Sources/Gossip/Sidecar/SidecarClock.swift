import Glibc
import OrderBook
import Replication

/// The machine's two clocks.
struct SidecarClock: Sendable {
    /// Microseconds by which the wall clock shall be wrong, for tests.
    var error: Int64 = 0

    func now() -> Instant {
        Instant(
            wall: Timestamp(Self.microseconds(CLOCK_REALTIME) + error), uptime: Self.microseconds(CLOCK_MONOTONIC))
    }

    private static func microseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
