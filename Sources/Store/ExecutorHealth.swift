internal import Synchronization

/// How the matcher of this process fares, for whoever wants to know whether an order would be executed now.
///
/// The matcher tells what it does, as it does it; a hanging one cannot say so, but what it began is remembered.
public final class ExecutorHealth: Sendable {
    /// Where a market's failure was met, which is where it must be seen to have ended.
    public enum Road: Hashable, Sendable {
        /// Its commands wait in the inbox and are tried again.
        case inbox
        /// Its commands were refused, so that nothing is tried again by itself.
        case direct
    }

    private struct Fault: Sendable {
        var symbol: String
        var words: String
        var road: Road
    }

    private struct State: Sendable {
        var notConnected: String? = "the matcher has not begun yet"
        var serverProcess: Int32?
        var underWay: (what: String, since: ContinuousClock.Instant)?
        var lastSuccess: ContinuousClock.Instant?
        var faults: [MarketNumber: Fault] = [:]
        var obstacle: String?
    }

    private let state = Mutex(State())
    private let answerMax: Duration

    /// - Parameter answerMax: whatever is under way for longer hangs, as far as anybody can tell.
    public init(answerMax: Duration = .milliseconds(1_800)) { self.answerMax = answerMax }

    // MARK: The matcher tells

    public func connected(serverProcess: Int32) {
        state.withLock {
            $0.notConnected = nil
            $0.serverProcess = serverProcess
        }
    }

    public func disconnected(because reason: String) {
        state.withLock { $0 = State(notConnected: reason, lastSuccess: $0.lastSuccess) }
    }

    /// Something begins that the database must answer.
    public func begins(_ what: String) { state.withLock { $0.underWay = (what, .now) } }

    public func ended() {
        state.withLock {
            $0.underWay = nil
            $0.lastSuccess = .now
        }
    }

    public func failed(_ market: MarketNumber, _ symbol: String, because words: String, on road: Road) {
        state.withLock { $0.faults[market] = Fault(symbol: symbol, words: words, road: road) }
    }

    public func succeeded(_ market: MarketNumber, on road: Road? = nil) {
        state.withLock { state in
            guard !state.faults.isEmpty, road == nil || state.faults[market]?.road == road else { return }
            state.faults[market] = nil
        }
    }

    /// Of all markets but these nothing waits any more.
    public func waits(only markets: Set<MarketNumber>) {
        state.withLock { state in
            guard !state.faults.isEmpty else { return }
            state.faults = state.faults.filter { $0.value.road == .direct || markets.contains($0.key) }
        }
    }

    /// What stands in the way of any batch, as somebody beside the matcher sees it; nil where nothing does.
    public func noticed(obstacle: String?) { state.withLock { $0.obstacle = obstacle } }

    // MARK: Others ask

    /// The server's process that executes.
    public var serverProcess: Int32? { state.withLock { $0.serverProcess } }

    /// Markets whose commands were refused and whose end of trouble nobody would notice.
    public var refusingMarkets: [MarketNumber] {
        state.withLock { $0.faults.filter { $0.value.road == .direct }.keys.sorted() }
    }

    /// Why an order would not be executed now, in one line; nil where it would.
    public func notReady(at now: ContinuousClock.Instant = .now) -> String? {
        let state = state.withLock { $0 }
        if let reason = state.notConnected { return "not matching: \(reason)" }
        if let (what, since) = state.underWay, since + answerMax <= now {
            return "the database does not answer the matcher: \(what) has been under way for \((now - since).wholeSeconds) s"
                + (state.obstacle.map { "; \($0)" } ?? "")
        }
        if let (_, fault) = state.faults.min(by: { $0.key < $1.key }) {
            let others = state.faults.count - 1
            return "market \(fault.symbol) is not executed: \(fault.words)"
                + (others > 0 ? "; and \(others) more market\(others == 1 ? "" : "s")" : "")
        }
        return state.obstacle
    }
}

extension Duration {
    fileprivate var wholeSeconds: Int64 { components.seconds }
}
