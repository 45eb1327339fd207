/// How long to wait between attempts: doubling from `first` to `most`, each shortened by up to half at random so that
/// many clients do not come back at once.
public struct Backoff: Sendable, Hashable {
    public var first: Duration
    public var most: Duration
    private var attempts = 0

    public init(first: Duration = .milliseconds(100), most: Duration = .seconds(5)) {
        self.first = first
        self.most = most
    }

    /// The wait before the next attempt.
    public mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let full = min(most, first * (1 << min(attempts, 20)))
        attempts += 1
        let perMille = Int.random(in: 500...1000, using: &generator)
        return full * perMille / 1000
    }

    /// After a success the next fault begins with `first` again.
    public mutating func reset() { attempts = 0 }
}

extension Session {
    /// Connects, trying again until it works or the task is cancelled. A refused password or an unknown database is
    /// tried again as well: the server may be in the middle of being set up.
    /// - Parameter onFailure: told each failed attempt and the wait that follows.
    public nonisolated func connectWithBackoff(
        _ backoff: Backoff = Backoff(), clock: some Clock<Duration> = ContinuousClock(),
        using generator: some RandomNumberGenerator = SystemRandomNumberGenerator(),
        onFailure: (PostgresError, Duration) -> Void = { _, _ in }
    ) async throws {
        var (backoff, generator) = (backoff, generator)
        while true {
            try Task.checkCancellation()
            do {
                return try await connect()
            } catch let error as PostgresError {
                let wait = backoff.next(using: &generator)
                onFailure(error, wait)
                try await clock.sleep(for: wait)
            }
        }
    }
}
