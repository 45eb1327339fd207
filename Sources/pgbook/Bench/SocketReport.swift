/// What `bench socket` prints.
struct SocketReport {
    private let tally: SocketTally
    private let plan: SocketLoad.Plan
    private let latency: SocketTally.Summary

    init(_ tally: SocketTally, _ plan: SocketLoad.Plan) {
        self.tally = tally
        self.plan = plan
        latency = tally.summary(isCorrected: isClosed(plan.pace))
    }

    private var milliseconds: UInt64 { tally.nanoseconds / 1_000_000 }
    private var ordersPerSecond: UInt64 { UInt64(tally.measured) * 1_000_000_000 / max(1, tally.nanoseconds) }

    /// Nil if every order was answered and none failed.
    var complaint: String? {
        let failed = tally.errors.values.reduce(0, +) + tally.timeouts
        guard failed > 0 else { return nil }
        return "\(failed) of \(tally.sent) orders failed: \(listed(tally.errors)), timeouts \(tally.timeouts)"
    }

    var json: JSON {
        .object([
            ("loop", .string(isClosed(plan.pace) ? "closed" : "open")), ("clients", .number(plan.clients)),
            ("sent", .number(tally.sent)), ("measured", .number(tally.measured)),
            ("milliseconds", .number(milliseconds)), ("orders_per_second", .number(ordersPerSecond)),
            (
                "latency_us",
                .object([
                    ("p50", .number(latency.p50)), ("p99", .number(latency.p99)), ("p999", .number(latency.p999)),
                    ("max", .number(latency.max)),
                ])
            ),
            (
                "statuses",
                .object(
                    SocketTally.Status.allCases.compactMap { status in
                        tally.statuses[status].map { (status.rawValue, .number($0)) }
                    })
            ),
            ("refusals", counts(tally.refusals)), ("errors", counts(tally.errors)),
            ("timeouts", .number(tally.timeouts)), ("sent_late", .number(tally.sentLate)),
            ("later_events", .number(tally.laterEvents)), ("other_messages", .number(tally.otherMessages)),
            ("bytes_received", .number(tally.bytesReceived)),
        ])
    }

    var text: String {
        var lines = [
            "\(tally.measured) orders in \(milliseconds) ms: \(ordersPerSecond) per second",
            "latency  p50 \(latency.p50) us  p99 \(latency.p99) us  p99.9 \(latency.p999) us  max \(latency.max) us",
            SocketTally.Status.allCases.compactMap { status in tally.statuses[status].map { "\(status.rawValue) \($0)" }
            }
            .joined(separator: "  "),
        ]
        if !tally.refusals.isEmpty { lines.append("refused: \(listed(tally.refusals))") }
        if tally.sentLate > 0 { lines.append("sent late: \(tally.sentLate)") }
        return lines.joined(separator: "\n")
    }

    private func counts(_ counts: [String: Int]) -> JSON {
        .object(counts.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) })
    }

    private func listed(_ counts: [String: Int]) -> String {
        counts.isEmpty
            ? "errors 0" : counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
}

private func isClosed(_ pace: SocketLoad.Pace) -> Bool {
    switch pace {
    case .answered: true
    case .scheduled: false
    }
}
