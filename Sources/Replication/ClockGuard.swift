import OrderBook

/// By how much the peers' clocks differ from this node's, by the echoes of heartbeats (NTP, RFC 5905 §8).
struct ClockGuard: Sendable {
    /// Of so many samples the one with the smallest delay counts: queueing makes delays longer and offsets wrong.
    static let samplesMax = 8

    struct Sample: Sendable {
        var offset: Int64
        var delay: Int64
    }

    private var samples: [[Sample]]
    /// Off against more than half of the peers that were measured.
    private(set) var isOff = false

    init(memberCount: Int) { samples = Array(repeating: [], count: memberCount) }

    mutating func measure(_ member: Int, heartbeat: Heartbeat, now: Timestamp) {
        guard let echo = heartbeat.echo else { return }
        let there = echo.receivedAt.rawValue &- echo.sentAt.rawValue
        let back = heartbeat.sentAt.rawValue &- now.rawValue
        let delay = (now.rawValue &- echo.sentAt.rawValue) &- (heartbeat.sentAt.rawValue &- echo.receivedAt.rawValue)
        if samples[member].count == Self.samplesMax { samples[member].removeFirst() }
        samples[member].append(Sample(offset: (there &+ back) / 2, delay: max(0, delay)))
    }

    /// Microseconds by which a peer's clock is ahead; nil where it was not measured.
    func offset(_ member: Int) -> Int64? {
        // Of equally fast ones the latest: coarse clocks measure many as 0.
        samples[member].reversed().min { $0.delay < $1.delay }?.offset
    }

    mutating func forget(_ member: Int) { samples[member].removeAll(keepingCapacity: true) }

    mutating func forgetAll() { for member in samples.indices { forget(member) } }

    /// - Returns: what changed.
    mutating func judge(limit: Int64) -> Bool? {
        let offsets = samples.indices.compactMap { offset($0) }
        let off = offsets.count { $0.magnitude > limit.magnitude } * 2 > offsets.count
        guard off != isOff else { return nil }
        isOff = off
        return off
    }
}
