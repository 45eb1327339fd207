import Dispatch
import Glibc
import Postgres
import Synchronization

/// Ctrl-C and SIGTERM as a question to ask, instead of the end of the process. Wakes a wait of the connection.
final class Interruption {
    private let counter = Counter()
    private let sources: [any DispatchSourceSignal]

    init(of interrupt: Interrupt) {
        sources = [SIGINT, SIGTERM].map { [counter] number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                counter.count.wrappingAdd(1, ordering: .relaxed)
                interrupt.wake()
            }
            source.resume()
            return source
        }
    }

    deinit {
        for source in sources { source.cancel() }
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }

    var hasCome: Bool { counter.count.load(ordering: .relaxed) > 0 }
    func reset() { counter.count.store(0, ordering: .relaxed) }
}

/// What the handler, on a thread of its own, shares with whoever asks.
private final class Counter: Sendable {
    let count = Atomic<Int>(0)
}
