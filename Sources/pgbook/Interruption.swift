import Dispatch
import Glibc
import Postgres
import Synchronization

/// Ctrl-C and SIGTERM as a question to ask, instead of the end of the process. Wakes a wait of the connection.
final class Interruption {
    private let signals = Signals()
    private let sources: [any DispatchSourceSignal]

    /// - Parameters:
    ///   - isOnce: a second signal ends the process.
    ///   - cancels: also ends the statement that is running.
    init(of interrupt: Interrupt, isOnce: Bool = false, cancels: Bool = false) {
        sources = [SIGINT, SIGTERM].map { [signals] number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                signals.last.store(number, ordering: .relaxed)
                if cancels { interrupt.cancel() } else { interrupt.wake() }
                if isOnce { signal(number, SIG_DFL) }
            }
            source.resume()
            return source
        }
    }

    deinit {
        for source in sources { source.cancel() }
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }

    var hasCome: Bool { signals.last.load(ordering: .relaxed) != 0 }

    /// Ctrl-C has been heeded and is forgotten; SIGTERM stays.
    func heed() { _ = signals.last.compareExchange(expected: SIGINT, desired: 0, ordering: .relaxed) }
}

/// What the handler, on a thread of its own, shares with whoever asks.
private final class Signals: Sendable {
    /// The number of the last one that came; 0 if none did.
    let last = Atomic<Int32>(0)
}
