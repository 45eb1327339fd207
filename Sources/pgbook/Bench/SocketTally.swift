import Histogram

/// What a load counted.
struct SocketTally: Sendable {
    /// The words of an order message.
    enum Status: String, Sendable, CaseIterable {
        case pending, open, filled, cancelled, expired, refused

        /// They differ in the first letter.
        init?(firstLetter: UInt8) {
            switch firstLetter {
            case UInt8(ascii: "p"): self = .pending
            case UInt8(ascii: "o"): self = .open
            case UInt8(ascii: "f"): self = .filled
            case UInt8(ascii: "c"): self = .cancelled
            case UInt8(ascii: "e"): self = .expired
            case UInt8(ascii: "r"): self = .refused
            default: return nil
            }
        }
    }

    var sent = 0
    /// Orders by what became of them first.
    private(set) var statuses: [Status: Int] = [:]
    private(set) var refusals: [String: Int] = [:]
    private(set) var errors: [String: Int] = [:]
    /// Unanswered when the load gave up.
    var timeouts = 0
    /// Open loop: sent more than 1 ms after their time.
    var sentLate = 0
    /// Messages about orders whose first outcome was known: their fills as makers.
    var laterEvents = 0
    var otherMessages = 0
    var bytesReceived = 0
    /// From the end of the warm-up to the last answer.
    var nanoseconds: UInt64 = 0

    /// Microseconds up to an hour, to three digits.
    private var histogram = Self.empty
    private static var empty: Histogram<UInt64> {
        Histogram<UInt64>(highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: .three)
    }

    mutating func count(_ status: Status, reason: String?) {
        statuses[status, default: 0] += 1
        if let reason { refusals[reason, default: 0] += 1 }
    }

    mutating func count(error: String, _ number: Int = 1) { errors[error, default: 0] += number }

    mutating func record(nanoseconds: UInt64) { histogram.record(nanoseconds / 1_000) }

    var measured: Int { Int(histogram.totalCount) }

    /// In microseconds.
    struct Summary {
        var p50: UInt64
        var p99: UInt64
        var p999: UInt64
        var max: UInt64
    }

    /// - Parameter isCorrected: for coordinated omission: a sender that waits for each answer would have sent at its
    ///   usual pace, the mean latency, while one took long, and what it did not send would have waited too.
    func summary(isCorrected: Bool) -> Summary {
        var values = histogram
        if isCorrected {
            let interval = UInt64(histogram.mean)
            values = Self.empty
            for recorded in histogram.recordedValues() {
                values.recordCorrectedValue(recorded.value, count: recorded.count, expectedInterval: interval)
            }
        }
        return Summary(
            p50: values.valueAtPercentile(50), p99: values.valueAtPercentile(99), p999: values.valueAtPercentile(99.9),
            max: values.max)
    }
}
