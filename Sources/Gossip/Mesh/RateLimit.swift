import NIOCore

/// How much is taken from one peer: a bucket of frames and one of bytes, each filled evenly and holding one second's.
struct RateLimit {
    private let framesPerSecond: Int64
    private let bytesPerSecond: Int64
    private var frames: Int64
    private var bytes: Int64
    private var filledAt: NIODeadline

    init(limits: MeshLimits, now: NIODeadline) {
        framesPerSecond = Int64(limits.framesPerSecondMax)
        bytesPerSecond = Int64(limits.bytesPerSecondMax)
        frames = framesPerSecond
        bytes = bytesPerSecond
        filledAt = now
    }

    mutating func spend(bytes count: Int) {
        frames -= 1
        bytes -= Int64(count)
    }

    /// How long nothing more may be taken; nil where it may at once.
    mutating func pause(now: NIODeadline) -> TimeAmount? {
        fill(now)
        let missing = max(Self.time(-frames, framesPerSecond), Self.time(-bytes, bytesPerSecond))
        return missing > 0 ? .nanoseconds(missing) : nil
    }

    private mutating func fill(_ now: NIODeadline) {
        let nanoseconds = min((now - filledAt).nanoseconds, Self.second)
        // Small steps would be rounded away.
        guard nanoseconds >= 1_000_000 else { return }
        filledAt = now
        frames = min(framesPerSecond, frames + Self.share(nanoseconds, framesPerSecond))
        bytes = min(bytesPerSecond, bytes + Self.share(nanoseconds, bytesPerSecond))
    }

    private static let second: Int64 = 1_000_000_000

    private static func share(_ nanoseconds: Int64, _ perSecond: Int64) -> Int64 {
        nanoseconds / 1_000 * perSecond / 1_000_000
    }

    /// How long it takes to fill in what is owed.
    private static func time(_ owed: Int64, _ perSecond: Int64) -> Int64 {
        owed < 0 ? 0 : (owed + 1) * 1_000_000 / perSecond * 1_000 + 1_000_000
    }
}
