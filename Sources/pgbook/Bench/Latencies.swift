import Histogram

/// Times from sending an order to its durable outcome.
struct Latencies {
    /// Up to an hour, to three digits.
    private var histogram = Self.empty
    private static var empty: Histogram<UInt64> {
        Histogram<UInt64>(highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: .three)
    }

    /// Latencies count from a schedule that waits for nobody: there is no omission to correct.
    var isScheduled = false

    /// - Parameter orders: how many took this long.
    mutating func record(_ latency: Duration, orders: Int) {
        histogram.record(UInt64(max(0, latency.microseconds)), count: UInt64(orders))
    }

    /// In microseconds.
    struct Summary {
        var p50: UInt64
        var p99: UInt64
        var p999: UInt64
        var max: UInt64

        init(_ histogram: Histogram<UInt64>) {
            p50 = histogram.valueAtPercentile(50)
            p99 = histogram.valueAtPercentile(99)
            p999 = histogram.valueAtPercentile(99.9)
            max = histogram.max
        }
    }

    /// Corrected for coordinated omission: the sender waits while a batch takes long, and what it would have sent
    /// meanwhile at its usual pace would have waited too. The interval expected between two of its batches is the mean
    /// latency, which is what a sender that waits for each answer shows.
    var summary: Summary {
        if isScheduled { return Summary(histogram) }
        let interval = UInt64(histogram.mean)
        var corrected = Self.empty
        for recorded in histogram.recordedValues() {
            corrected.recordCorrectedValue(recorded.value, count: recorded.count, expectedInterval: interval)
        }
        return Summary(corrected)
    }
}
