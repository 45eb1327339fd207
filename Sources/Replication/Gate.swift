/// Whether this node takes orders, as it was last told to the database.
struct Gate: Sendable {
    var isKnown = false
    private(set) var admits = false
    private(set) var because: String?

    /// - Returns: whether that is news.
    mutating func set(_ reason: String?) -> Bool {
        guard !isKnown || reason != because else { return false }
        isKnown = true
        admits = reason == nil
        because = reason
        return true
    }
}

extension Replicator {
    mutating func admit() {
        guard gate.set(reasonAgainst) else { return }
        writer.add(.admit(gate.admits, because: gate.because))
    }

    private var reasonAgainst: String? {
        if divergence.isRebuilding { return "it is being rebuilt: \(divergence.reason)" }
        if divergence.damage != nil { return "its tables are damaged, and no peer is there to rebuild from" }
        if !unmet.isEmpty { return "it is new, and has not heard \(names(unmet)) yet" }
        if !level.isLevel { return "it catches up: \(level.reason)" }
        if let minority = divergence.minority { return "it waits to be rebuilt: \(minority)" }
        if let doubt { return doubt }
        if clock.isOff { return "its clock is off" }
        if numbering.isAheadOfClock { return "its last stamps lie ahead of its clock" }
        if pools.count >= configuration.waitingMax { return "too many commands wait" }
        if numbering.count >= configuration.enteredMax { return "too many commands wait for a stamp" }
        return nil
    }
}
