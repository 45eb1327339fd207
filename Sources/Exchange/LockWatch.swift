import OrderBook
import Store

/// What an exchange knows of locks that other sessions hold, and may never give back.
struct LockWatch {
    /// A market whose rows another session holds.
    struct Held {
        var tries = 0
        /// Until then its commands are answered busy without a look.
        var retryAt: ContinuousClock.Instant
    }

    var held: [MarketNumber: Held] = [:]
    /// Until when commands that other sessions may collide with are entered apart; nil where nothing was met lately.
    private(set) var waryUntil: ContinuousClock.Instant?
    /// Whether ids are suspected as well, not only users' own.
    var suspectsIDs = false
    /// A batch is being executed in parts.
    var isGoingAround = false
    /// Ids of users that another session has used and not committed, and until when they are answered busy.
    private var collisions: [ClientOrderKey: ContinuousClock.Instant] = [:]

    var isWary: Bool { waryUntil != nil }

    mutating func beWary(until time: ContinuousClock.Instant) { waryUntil = time }

    /// Whether there was nothing to be wary of for long enough.
    func mayRelax(at time: ContinuousClock.Instant) -> Bool {
        guard let waryUntil, held.isEmpty else { return false }
        return time >= waryUntil
    }

    mutating func relax() {
        waryUntil = nil
        collisions = [:]
    }

    /// Whether an entry must be entered apart, because another session may have used its id and not committed.
    func mayCollide(_ entry: Entry) -> Bool {
        guard isWary else { return false }
        return entry.clientOrderID != nil || (suspectsIDs && entry.id != nil)
    }

    func isUsedElsewhere(_ entry: Entry) -> Bool {
        guard !collisions.isEmpty, let key = entry.clientOrderKey, let until = collisions[key] else { return false }
        return until > .now
    }

    /// The id of an entry is used by another session that has not committed.
    mutating func met(_ entry: Entry, _ limits: ExchangeLimits) {
        guard let key = entry.clientOrderKey else { return }
        if collisions.count >= limits.collisionsRememberedMax { collisions = [:] }
        collisions[key] = .now + limits.heldMarketPauseMin
    }

    /// The market could not be had.
    mutating func missed(_ market: MarketNumber, _ limits: ExchangeLimits) {
        var entry = held[market] ?? Held(retryAt: .now)
        let pause = min(limits.heldMarketPauseMin * (1 << min(entry.tries, 10)), limits.heldMarketPauseMax)
        entry.tries += 1
        entry.retryAt = .now + pause
        held[market] = entry
    }

    /// Whether a market is to be left alone for now.
    func isHeld(_ market: MarketNumber) -> Bool {
        guard let entry = held[market] else { return false }
        return entry.retryAt > .now
    }
}
