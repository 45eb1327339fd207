import Store

/// Markets whose last batch failed, and how long each is left alone: a market that cannot go on must not take the time
/// of those that can.
struct MarketPauses {
    private struct Pause {
        var failures = 0
        var until: ContinuousClock.Instant
    }

    private var pauses: [MarketNumber: Pause] = [:]

    mutating func failed(_ market: MarketNumber, _ limits: ExchangeLimits) {
        var pause = pauses[market] ?? Pause(until: .now)
        pause.until = .now + min(limits.pollInterval * (1 << min(pause.failures, 10)), limits.failedMarketPauseMax)
        pause.failures += 1
        pauses[market] = pause
    }

    mutating func succeeded(_ market: MarketNumber) { pauses[market] = nil }

    /// How long the market is left alone from now on; nil where it is not.
    func wait(for market: MarketNumber) -> Duration? {
        guard let pause = pauses[market], pause.until > .now else { return nil }
        return pause.until - .now
    }
}
