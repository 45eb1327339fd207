import Replication
import Store
import Synchronization

/// Computing everything again from the log: now and then, when results differ, and before a copy is given. One at a time.
final class TableChecks: Sendable {
    private struct State {
        /// Counts copies that were taken: what was found in the tables before says nothing of those after.
        var copies = 0
        var soundAt: ContinuousClock.Instant?
    }

    /// A copy may be given so long after the tables were found right.
    private static let trustedFor: Duration = .seconds(600)

    private let database: StoreConfiguration
    private let check: @Sendable (StoreConnection) throws -> String?
    private let interval: Duration?
    private let requests: AsyncStream<Void>
    private let requested: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    init(_ configuration: SidecarConfiguration) {
        database = configuration.database
        check = configuration.check
        interval = configuration.checkInterval
        (requests, requested) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Asks for a check; one that has not begun yet is enough for all who ask.
    func request() { requested.yield() }

    /// The tables are a copy of a peer's now.
    func noteCopy() {
        state.withLock {
            $0.copies += 1
            $0.soundAt = nil
        }
    }

    /// Checks when asked to, and as often as the configuration says, until its task is cancelled.
    /// - Parameters:
    ///   - report: takes what every check found.
    ///   - failed: a check came to nothing; it is tried again.
    func run(
        report: @Sendable (String?) async -> Void, failed: @escaping @Sendable (any Error) -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                guard let interval else { return }
                while (try? await Task.sleep(for: interval)) != nil { request() }
            }
            for await _ in requests {
                do {
                    await report(try await found())
                } catch {
                    guard !Task.isCancelled else { break }
                    failed(error)
                    try? await Task.sleep(for: .seconds(1))
                    request()
                }
            }
            group.cancelAll()
        }
    }

    /// What a check of the tables as they are now finds, or one not long ago found.
    func foundLately() async throws -> String? {
        if let soundAt = state.withLock(\.soundAt), .now - soundAt < Self.trustedFor { return nil }
        return try await found()
    }

    private func found() async throws -> String? {
        while true {
            let before = state.withLock(\.copies)
            let found = try await database.once(for: .working, check)
            let isOfNow = state.withLock { state in
                guard state.copies == before else { return false }
                state.soundAt = found == nil ? .now : nil
                return true
            }
            if isOfNow { return found }
        }
    }
}
