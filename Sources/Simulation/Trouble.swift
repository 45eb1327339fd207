/// What goes wrong.
public enum Trouble: String, Hashable, Sendable, CaseIterable {
    /// A sidecar is killed: of its writes under way some are stored, in order.
    case crash
    /// A process stands still.
    case pause
    /// Nothing goes between two nodes, either way.
    case cut
    /// Nothing goes from one node to another.
    case oneWay
    /// Nothing goes between two groups of nodes.
    case partition
    /// A connection is lost with what is under way.
    case reset
    /// Messages take longer than the window.
    case slowLink
    case slowDisk
    case clockStep
    case clockDrift
    /// Somebody writes into the tables.
    case tampering
    case lostMessage
    case doubledMessage
}

/// When what goes wrong.
struct PlannedTrouble: Sendable {
    var kind: Trouble
    var at: Int64
    var duration: Int64
    var node: Int
    var other: Int
    /// Microseconds of a step or a delay, or parts per million of a drift.
    var size: Int64
}

extension Scenario {
    func plan(_ chance: inout Chance) -> [PlannedTrouble] { regime == .mild ? mildPlan(&chance) : wildPlan(&chance) }

    /// One after the other, with time to recover in between, and nothing that no cluster could survive.
    private func mildPlan(_ chance: inout Chance) -> [PlannedTrouble] {
        var kinds: [Trouble] = [.crash, .crash, .reset, .clockStep]
        if !isTight { kinds.append(.pause) }
        if !isTight, nodeCount > 2 { kinds += [.cut, .oneWay, .partition] }
        var plan: [PlannedTrouble] = []
        var at = (latecomerAt.map { $0 + 2 * window + 1_000_000 } ?? 0) + chance.within(window...3 * window)
        for _ in 0..<faultCount {
            var trouble = draw(chance.pick(kinds), at: at, &chance)
            if trouble.kind == .clockStep { trouble.size = chance.within(0...skew) - skew / 2 }
            if trouble.kind == .pause, chance.happens(percent: 50) {
                trouble.duration = chance.within(1_000...window / 5)
            }
            plan.append(trouble)
            at += trouble.duration + 4 * window + 1_500_000
        }
        return plan
    }

    private func wildPlan(_ chance: inout Chance) -> [PlannedTrouble] {
        let kinds: [Trouble] = [
            .crash, .crash, .pause, .cut, .oneWay, .partition, .partition, .reset, .slowLink, .slowDisk, .clockStep,
            .clockDrift, .tampering,
        ]
        // What is wrong on all machines at once no cluster can repair.
        let spared = chance.index(nodeCount)
        return (0..<faultCount).map { _ in
            var trouble = draw(chance.pick(kinds), at: chance.below(duration), &chance)
            if trouble.kind == .tampering, trouble.node == spared { swap(&trouble.node, &trouble.other) }
            return trouble
        }
    }

    private func draw(_ kind: Trouble, at: Int64, _ chance: inout Chance) -> PlannedTrouble {
        let node = chance.index(nodeCount)
        let other = (node + 1 + chance.index(nodeCount - 1)) % nodeCount
        var trouble = PlannedTrouble(
            kind: kind, at: at, duration: chance.within(window / 4...3 * window), node: node, other: other, size: 0)
        switch kind {
        case .slowLink: trouble.size = chance.within(window / 2...3 * window)
        case .slowDisk: trouble.size = chance.within(window / 8...window)
        case .clockStep: trouble.size = chance.within(-2_000_000...2_000_000)
        case .clockDrift: trouble.size = chance.within(-20_000...20_000)
        default: break
        }
        return trouble
    }
}
