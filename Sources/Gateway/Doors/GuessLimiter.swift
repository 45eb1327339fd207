/// Who gave wrong tokens lately, by address, and who must wait because of it. A value: it decides, and has no clock.
struct GuessLimiter {
    /// How long an address waits, doubled with each wrong token after the first few.
    private static let firstWait = Duration.seconds(1)
    private static let longestWait = Duration.seconds(300)
    /// After this long without a wrong token an address is as good as new.
    private static let forgottenAfter = Duration.seconds(900)
    /// Good tokens remembered of an address.
    private static let goodMax = 16

    private struct Record {
        var failures = 0
        var waitsUntil: ContinuousClock.Instant
        var changedAt: ContinuousClock.Instant
        /// Tokens that were right when they came from here.
        var good: [Tokens.ID] = []
    }

    let failuresMax: Int
    let addressesMax: Int
    private var records: [ClientAddress: Record] = [:]

    /// - Parameters:
    ///   - failuresMax: wrong tokens of an address before it has to wait.
    ///   - addressesMax: addresses remembered.
    init(failuresMax: Int, addressesMax: Int) {
        self.failuresMax = failuresMax
        self.addressesMax = addressesMax
    }

    var addressCount: Int { records.count }

    enum Verdict: Equatable {
        case granted
        case wrong
        /// Nothing is said of the token.
        case mustWait(Duration)
    }

    /// A token came from an address.
    ///
    /// While an address waits only tokens pass that were right from there before; from this machine itself every right
    /// one: all clients of a proxy have its address, and one who guesses must not keep out the others.
    mutating func judge(
        _ token: Tokens.ID, isRight: Bool, from address: ClientAddress, now: ContinuousClock.Instant
    ) -> Verdict {
        var record = records[address]
        if let seen = record, seen.changedAt + Self.forgottenAfter <= now { record?.failures = 0 }
        if let record, record.waitsUntil > now, record.failures > failuresMax {
            let isExempt = isRight && (address.isLoopback || record.good.contains(token))
            return isExempt ? .granted : .mustWait(record.waitsUntil - now)
        }
        if isRight, record?.good.contains(token) == true { return .granted }
        var changed = record ?? Record(waitsUntil: now, changedAt: now)
        if isRight {
            changed.good = changed.good.suffix(Self.goodMax - 1) + [token]
        } else {
            changed.failures += 1
            changed.changedAt = now
            changed.waitsUntil = now + wait(after: changed.failures)
        }
        if record == nil { makeRoom(now) }
        records[address] = changed
        return isRight ? .granted : .wrong
    }

    private func wait(after failures: Int) -> Duration {
        guard failures > failuresMax else { return .zero }
        return min(Self.firstWait * (1 << min(failures - failuresMax - 1, 10)), Self.longestWait)
    }

    /// With as many addresses as are remembered, a quarter is forgotten: those that waited longest ago.
    private mutating func makeRoom(_ now: ContinuousClock.Instant) {
        guard records.count >= addressesMax else { return }
        let oldest = records.sorted {
            ($0.value.waitsUntil, $0.value.changedAt) < ($1.value.waitsUntil, $1.value.changedAt)
        }
        for (address, _) in oldest.prefix(max(1, addressesMax / 4)) { records[address] = nil }
    }
}
