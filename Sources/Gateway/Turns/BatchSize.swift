/// How much goes into one batch: so much that it takes its time and no longer, whatever the commands cost. A value: it
/// decides, and has no clock.
///
/// Grows by a quarter while batches are in time, and falls with what they take too long. The time in which even a small
/// batch cannot be done, because each waits for the disk, is not held against it.
struct BatchSize {
    let max: Int
    private let least: Int
    private let target: Duration
    private(set) var limit: Int
    /// What the shortest of late took.
    private var floor: Duration?

    /// - Parameters:
    ///   - max: where it begins, and no more.
    ///   - least: no less, however long it takes.
    init(max: Int, least: Int, target: Duration) {
        self.max = max
        self.least = Swift.min(least, max)
        self.target = target
        limit = max
    }

    /// A batch was answered.
    /// - Parameter duration: the time for which nothing else held it up.
    mutating func took(_ duration: Duration, for cost: Int) {
        // Forgotten by and by: a disk can become slower.
        let floor = Swift.min(duration, (self.floor ?? duration) * 1.02)
        self.floor = floor
        let allowed = Swift.max(target, floor * 3)
        if duration > allowed {
            let part = Swift.max(allowed / duration, 0.25)
            limit = Swift.max(least, Int(Double(Swift.min(limit, cost)) * part))
        } else if cost >= limit {
            limit = Swift.min(max, limit + Swift.max(1, limit / 4))
        }
    }
}
