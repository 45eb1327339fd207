import Logging
import Replication
import Synchronization

/// Counts what an operator should know, and says it: the first of a kind from a peer at once, others like it only
/// together with the next that is said.
final class Reporter: Sendable {
    private struct Key: Hashable {
        var kind: Report.Kind
        var peer: NodeName?
    }

    private struct State {
        var counts: [Report.Kind: Int] = [:]
        var said: [Key: (at: ContinuousClock.Instant, unsaid: Int)] = [:]
    }

    private static let interval = Duration.seconds(10)
    private let state = Mutex(State())
    private let logger: Logger

    init(_ logger: Logger) { self.logger = logger }

    func report(_ report: Report) {
        let now = ContinuousClock.now
        let key = Key(kind: report.kind, peer: report.peer)
        let unsaid = state.withLock { state -> Int? in
            state.counts[report.kind, default: 0] += 1
            let before = state.said[key]
            if let before, now - before.at < Self.interval {
                state.said[key]?.unsaid += 1
                return nil
            }
            state.said[key] = (now, 0)
            return before?.unsaid ?? 0
        }
        guard let unsaid else { return }
        var metadata: Logger.Metadata = ["kind": "\(report.kind.rawValue)"]
        if let peer = report.peer { metadata["peer"] = "\(peer)" }
        if unsaid > 0 { metadata["unsaid"] = "\(unsaid)" }
        logger.log(level: report.kind.level, "\(report.text)", metadata: metadata)
    }

    /// How often each kind was reported since the start of the process.
    var counts: [Report.Kind: Int] { state.withLock { $0.counts } }
}

extension Report.Kind {
    fileprivate var level: Logger.Level {
        switch self {
        case .diverged, .mismatch: .error
        case .forged, .malformed, .clockOff, .rebuilding, .tooFarInFuture, .overflow, .late: .warning
        case .behind, .gap, .duplicate: .notice
        case .clockRight, .level: .info
        }
    }
}
