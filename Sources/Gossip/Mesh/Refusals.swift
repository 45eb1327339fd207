import Logging
import NIOCore
import Synchronization

/// Counts what is refused, and writes at most one line per reason and interval about it, however much there is. Of
/// connections that come and go likewise.
final class Refusals: Sendable {
    private struct State {
        var counts: [MeshRefusal: Int] = [:]
        var dialsFailed = 0
        var lastLine: [String: NIODeadline] = [:]
        /// What was counted since the last line and not said.
        var unsaid: [String: Int] = [:]
    }

    private let interval: TimeAmount
    private let logger: Logger
    private let state = Mutex(State())

    init(interval: TimeAmount, logger: Logger) {
        self.interval = interval
        self.logger = logger
    }

    var counts: [MeshRefusal: Int] { state.withLock { $0.counts } }
    var dialsFailed: Int { state.withLock { $0.dialsFailed } }

    func add(_ fault: LinkFault, peer: String) {
        state.withLock { $0.counts[fault.reason, default: 0] += 1 }
        // Two nodes that dial each other at once: nothing to tell anybody.
        guard fault.reason != .replaced else { return }
        say(.warning, "connection ended: \(fault)", about: fault.reason.rawValue, peer: peer)
    }

    func addDialFailure(_ text: String, peer: String) {
        state.withLock { $0.dialsFailed += 1 }
        say(.notice, text, about: "dial \(peer)", peer: peer)
    }

    func addConnection(_ peer: String, _ metadata: Logger.Metadata) {
        say(.info, "connected", about: "connected \(peer)", peer: peer, metadata)
    }

    func addDisconnection(_ peer: String, because: String) {
        say(.info, "disconnected", about: "disconnected \(peer)", peer: peer, ["because": "\(because)"])
    }

    private func say(
        _ level: Logger.Level, _ text: String, about topic: String, peer: String, _ more: Logger.Metadata = [:]
    ) {
        let now = NIODeadline.now()
        let others = state.withLock { state -> Int? in
            if let last = state.lastLine[topic], now - last < interval {
                state.unsaid[topic, default: 0] += 1
                return nil
            }
            state.lastLine[topic] = now
            return state.unsaid.removeValue(forKey: topic) ?? 0
        }
        guard let others else { return }
        var metadata = more
        metadata["peer"] = "\(peer)"
        if others > 0 { metadata["more_like_it"] = "\(others)" }
        logger.log(level: level, "\(text)", metadata: metadata)
    }
}
