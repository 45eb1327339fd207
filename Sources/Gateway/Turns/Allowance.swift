import NIOCore

/// What a socket may send beside commands: pings, pieces of messages, subscriptions, messages that are wrong. A value: it
/// decides, and has no clock.
///
/// Beyond it the socket is not closed but read more slowly: what its client sends on waits on the client's side.
struct Allowance {
    let perSecond: Int
    let burst: Int
    private var left: Int
    private var filledAt: NIODeadline?

    init(perSecond: Int, burst: Int) {
        self.perSecond = perSecond
        self.burst = burst
        left = burst
    }

    var isOverdrawn: Bool { left < 0 }

    mutating func spend(_ cost: Int) { left -= cost }

    /// Gives what has come in since the last time.
    /// - Returns: how long to wait until something is left again; nil where something is.
    mutating func wait(now: NIODeadline) -> TimeAmount? {
        if let filledAt, left < burst {
            let gained = Int((now - filledAt).nanoseconds / 1_000 * Int64(perSecond) / 1_000_000)
            // What is too short to give anything still counts.
            guard gained > 0 else { return isOverdrawn ? timeToFill : nil }
            left = min(burst, left + gained)
        }
        filledAt = now
        return isOverdrawn ? timeToFill : nil
    }

    private var timeToFill: TimeAmount {
        .microseconds(max(1_000, min(10_000_000, Int64(-left) * 1_000_000 / Int64(perSecond))))
    }
}
