import Exchange

/// What one measurement of one contestant gave.
struct BenchReport {
    var contestant: String
    var flow: String
    var batch: Int
    var run: BenchRun
    /// Of the measured part alone.
    var elapsed: Duration
    var used: Resources
    /// Bytes of memory of this process at the beginning of the measured part.
    var memoryStart: Int
    var memoryPeak: Int
    /// Whether log and tables agree; nil if nobody looked.
    var isVerified: Bool?

    /// `reports` is the digest of all reports of a flow that has some.
    var json: JSON {
        let latency = run.latencies.summary
        return .object([
            ("contestant", .string(contestant)), ("flow", .string(flow)), ("batch", .number(batch)),
            ("orders", .number(run.orders)), ("trades", .number(run.trades)), ("takers", .number(run.takers)),
            ("refused", .number(run.refused)), ("elapsed_us", .number(elapsed.microseconds)),
            ("p50_us", .number(latency.p50)), ("p99_us", .number(latency.p99)), ("p999_us", .number(latency.p999)),
            ("max_us", .number(latency.max)), ("client_cpu_us", .number(used.clientCPU)),
            ("server_cpu_us", used.serverCPU.map { .number($0) } ?? .null), ("wal_bytes", .number(used.walBytes)),
            ("fsyncs", used.walSyncs.map { .number($0) } ?? .null), ("rss_start_bytes", .number(memoryStart)),
            ("rss_peak_bytes", .number(memoryPeak)), ("sha256", .text(run.flow.reportDigest?.hex)),
            ("verified", isVerified.map { .bool($0) } ?? .null),
        ])
    }

    func show() {
        let latency = run.latencies.summary
        let microseconds = max(1, elapsed.microseconds)
        func rate(_ count: Int) -> Int64 { Int64(count) * 1_000_000 / microseconds }
        func perOrder(_ amount: Int64?) -> String { amount.map { tenths($0, of: Int64(run.orders)) } ?? "unknown" }
        var table = Table(("", .left), ("", .point))
        table.add("orders", "\(run.orders)")
        table.add("orders/s", "\(rate(run.orders))")
        table.add("trades/s", "\(rate(run.trades))")
        table.add("latency p50, µs", "\(latency.p50)")
        table.add("latency p99, µs", "\(latency.p99)")
        table.add("latency p99.9, µs", "\(latency.p999)")
        table.add("latency max, µs", "\(latency.max)")
        table.add("CPU of pgbook per order, µs", perOrder(used.clientCPU))
        table.add("CPU of PostgreSQL per order, µs", perOrder(used.serverCPU))
        table.add("WAL bytes per order", perOrder(used.walBytes))
        table.add("WAL syncs", used.walSyncs.map { "\($0)" } ?? "unknown")
        table.add("memory of pgbook, MiB: start", tenths(Int64(memoryStart), of: 1 << 20))
        table.add("memory of pgbook, MiB: peak", tenths(Int64(memoryPeak), of: 1 << 20))
        print("\(contestant), flow \(flow), batches of \(batch), in \(elapsed.inSeconds)")
        printLines(Array(table.lines(on: .standard, indent: 2).dropFirst()))
        if let digest = run.flow.reportDigest { print("  SHA-256 of the reports  \(digest.hex)") }
        if let isVerified { print(isVerified ? "  log and tables agree" : "  LOG AND TABLES DIFFER") }
    }
}

/// A ratio with one digit after the point.
private func tenths(_ amount: Int64, of count: Int64) -> String {
    let tenths = (amount * 10 + count / 2) / max(1, count)
    return "\(tenths / 10).\(abs(tenths % 10))"
}
