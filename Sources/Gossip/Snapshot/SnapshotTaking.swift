import NIOCore
import Replication
import Synchronization

/// This node's side of a copying that it asked a peer for: what came and was not taken yet.
final class SnapshotTaking: Sendable {
    fileprivate struct State {
        var header: [UInt8]?
        var parts = CircularBuffer<[UInt8]>()
        /// Bytes that the peer may still send.
        var credit: Int
        var received: Int64 = 0
        /// How it ended: nil while it goes on.
        var end: Result<Void, GossipFault>?
        var waiter: CheckedContinuation<Void, Never>?
    }

    let copy: Int64
    private let state: Mutex<State>

    init(copy: Int64, credit: Int) {
        self.copy = copy
        state = Mutex(State(credit: credit))
    }

    /// What the peer says.
    func receive(_ frame: SnapshotFrame) throws(LinkFault) {
        let result = state.withLock { state -> Result<CheckedContinuation<Void, Never>?, LinkFault> in
            guard state.end == nil else { return .success(nil) }
            if let fault = state.receive(frame) { return .failure(fault) }
            defer { state.waiter = nil }
            return .success(state.waiter)
        }
        try result.get()?.resume()
    }

    func fail(_ fault: GossipFault) {
        let waiter = state.withLock { state in
            if state.end == nil { state.end = .failure(fault) }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// What stands before the parts.
    func header() async throws(GossipFault) -> [UInt8] {
        while true {
            let header = try state.withLock { state -> Result<[UInt8]?, GossipFault> in
                if let header = state.header { return .success(header) }
                if case .failure(let fault) = state.end { return .failure(fault) }
                return .success(state.end == nil ? nil : [])
            }.get()
            if let header { return header }
            try await waitForChange { $0.header == nil && $0.end == nil }
        }
    }

    /// The next part, in order; nil after the last. Parts of a copying that failed are not given out.
    func next() async throws(GossipFault) -> [UInt8]? {
        while true {
            let next = try state.withLock { state -> Result<[UInt8]??, GossipFault> in
                if case .failure(let fault) = state.end { return .failure(fault) }
                if let part = state.parts.popFirst() {
                    state.credit += part.count
                    return .success(.some(part))
                }
                return .success(state.end == nil ? nil : .some(nil))
            }.get()
            if let next { return next }
            try await waitForChange { $0.parts.isEmpty && $0.end == nil }
        }
    }

    private func waitForChange(while isSame: @Sendable (borrowing State) -> Bool) async throws(GossipFault) {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isChanged = state.withLock { state in
                    if !isSame(state) || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isChanged { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
        if Task.isCancelled { throw GossipFault("the copying was given up") }
    }
}

extension SnapshotTaking.State {
    /// - Returns: what is wrong with it.
    fileprivate mutating func receive(_ frame: SnapshotFrame) -> LinkFault? {
        switch frame {
        case .begin(_, let header):
            guard self.header == nil else { return LinkFault(.malformed, "a snapshot begins twice") }
            self.header = header
        case .chunk(_, let part):
            guard header != nil else { return LinkFault(.malformed, "a snapshot's part comes before its beginning") }
            guard part.count <= credit else {
                return LinkFault(.overCredit, "more of a snapshot than it has credit for")
            }
            guard !part.isEmpty else { return LinkFault(.malformed, "a snapshot's part is empty") }
            credit -= part.count
            received += Int64(part.count)
            parts.append(part)
        case .end(_, let bytes):
            guard header != nil, bytes == received else {
                return LinkFault(.malformed, "a snapshot of \(received) bytes ends after \(bytes)")
            }
            end = .success(())
        case .refused(_, let reason): end = .failure(GossipFault(reason))
        case .request, .credit, .cancel: break
        }
        return nil
    }
}
