/// How long to wait before dialling again: twice as long after each failure, and not at the same time as the others.
struct DialDelay {
    private let min: Int64
    private let max: Int64
    private var failures = 0

    init(limits: MeshLimits) {
        min = limits.dialDelayMin
        max = limits.dialDelayMax
    }

    mutating func reset() { failures = 0 }

    /// Between half and the whole of the time that is due.
    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let due = Swift.min(max, min << Swift.min(failures, 20))
        failures += 1
        return .milliseconds(Int64.random(in: due / 2...due, using: &generator))
    }
}
