public import Replication

/// What a seed draws: the cluster, its network, disks and clocks, and how much goes wrong. Times are microseconds.
public struct Scenario: Sendable {
    public enum Regime: String, Sendable, CaseIterable {
        /// Delays and clocks are bounded such that window > 2 × (delay + difference of clocks), and one thing goes wrong
        /// at a time: nodes must never diverge.
        case mild
        /// Everything, all at once: nodes may diverge, and must find it and repair it.
        case wild
    }

    public var seed: UInt64
    public var regime: Regime
    public var nodeCount: Int
    public var commandCount: Int
    /// The window is as small as delays allow: too small to find out in time that a node is cut off, so none is.
    public var isTight: Bool
    /// Commands enter, and things go wrong, for so long.
    public var duration: Int64
    public var window: Int64
    /// Of a message, while nothing is wrong.
    public var delay: ClosedRange<Int64>
    /// Of a write.
    public var disk: ClosedRange<Int64>
    /// How far any two clocks differ, while nothing is wrong.
    public var skew: Int64
    /// Clocks show multiples of it: the coarser, the more stamps are equal.
    public var clockStep: Int64
    public var tickInterval: Int64
    public var heartbeatInterval: Int64
    public var relayDelay: Int64
    public var reconnect: Int64
    public var closesEarly: Bool
    public var confirmations: Int
    public var goesOnAlone: Bool
    /// Messages of one connection may overtake each other and come twice.
    public var isUnordered: Bool
    /// Per 1,000 messages, where they are unordered.
    public var lossPermille: Int64
    /// How many faults.
    public var faultCount: Int
    /// Accepted commands that may wait at a node.
    public var waitingMax: Int
    /// A node that lacks more commands than this copies a peer's state.
    public var copyAbove: Int64
    /// When the last node starts for the first time, if not with the others.
    public var latecomerAt: Int64?
    /// Commands that a pull brings at most.
    public var readMax: Int
    /// Some commands enter at two nodes under one id.
    public var hasRetries: Bool

    public init(seed: UInt64, nodes: ClosedRange<Int> = 2...5, regime: Regime? = nil) {
        var chance = Chance(seed: seed)
        self.seed = seed
        let drawn: Regime = chance.happens(percent: 50) ? .mild : .wild
        self.regime = regime ?? drawn
        nodeCount = nodes.lowerBound + chance.index(nodes.count)
        tickInterval = chance.pick([10_000, 10_000, 20_000, 40_000])
        heartbeatInterval = 0
        relayDelay = chance.pick([0, 10_000, 20_000])
        let slowest: Int64 = chance.pick([500, 5_000, 20_000, 50_000, 100_000])
        delay = (chance.happens(percent: 40) ? slowest * 4 / 5 : 100)...slowest
        disk = 200...chance.pick([1_000, 5_000, 20_000])
        skew = chance.pick([0, 2_000, 20_000, 60_000])
        clockStep = chance.pick([1, 1, 1_000, 20_000])
        closesEarly = chance.happens(percent: 75)
        confirmations = chance.happens(percent: 25) ? Int(chance.within(1...Int64(nodeCount - 1))) : 0
        isUnordered = chance.happens(percent: 25)
        hasRetries = chance.happens(percent: 20)
        readMax = chance.pick([16, 16, 2])
        commandCount = Int(chance.within(5...40))
        reconnect = chance.pick([10_000, 50_000])
        lossPermille = 0
        waitingMax = 200_000
        copyAbove = 100_000
        goesOnAlone = nodeCount <= 2
        // Stamp, write, send, write, pass on, send: what takes longest while nothing is wrong. A disk may be busy with
        // two other writes.
        let longest = 2 * (delay.upperBound + 3 * disk.upperBound) + relayDelay + 2 * tickInterval
        window = max(longest + 2 * skew + 2 * clockStep + 2_000, 16 * tickInterval)
        isTight = chance.happens(percent: 50)
        if !isTight {
            // A node must know that it is cut off (`silenceMax`) before it closes a pool by the window alone.
            let cutOff = 3 * delay.upperBound + 3 * disk.upperBound + skew + clockStep + 5 * tickInterval
            window = max(window, cutOff * 3 / 2)
        }
        heartbeatInterval = max(tickInterval, window / 6)
        duration = max(8 * window, 1_500_000)
        faultCount = Int(chance.within(0...2))
        if nodeCount > 2, chance.happens(percent: 20) { latecomerAt = chance.below(duration / 2) }
        if self.regime == .wild { grow(wild: &chance) }
    }

    private mutating func grow(wild chance: inout Chance) {
        window = chance.pick([window / 4, window, 4 * window, 1_000_000])
        lossPermille = chance.pick([0, 10, 100])
        goesOnAlone = chance.happens(percent: 50)
        waitingMax = chance.pick([200_000, 200_000, 200_000, 8])
        copyAbove = chance.pick([100_000, 5])
        heartbeatInterval = max(2 * tickInterval, min(window / 4, 200_000))
        duration = max(8 * window, 2_000_000)
        faultCount = Int(chance.within(1...6))
    }

    public func configuration(of node: Int) -> ReplicationConfiguration {
        let names = (0..<nodeCount).map(Self.name)
        var configuration = ReplicationConfiguration(name: names[node], clusterID: "simulated", members: names)
        configuration.window = window
        configuration.closesEarly = closesEarly
        configuration.confirmations = confirmations
        configuration.confirmationTimeout = max(window / 2, 100_000)
        configuration.tickInterval = tickInterval
        configuration.heartbeatInterval = heartbeatInterval
        configuration.pauseMax = max(window / 4, 3 * tickInterval)
        configuration.clockDifferenceMax = max(4 * skew, 200_000)
        configuration.boundAhead = 2 * heartbeatInterval
        configuration.copyBoundAhead = 4 * window
        configuration.silenceMax = 2 * heartbeatInterval + delay.upperBound + 2 * tickInterval
        configuration.relayDelay = relayDelay
        configuration.pullTimeout = max(100_000, 6 * delay.upperBound)
        configuration.goesOnAlone = goesOnAlone
        configuration.waitingMax = waitingMax
        configuration.copyAbove = copyAbove
        configuration.copyPause = 5 * window
        configuration.checkAgainAfter = 10 * window
        configuration.itemsPerMessageMax = 8
        configuration.itemsPerReadMax = readMax
        return configuration
    }

    static func name(_ node: Int) -> NodeName {
        guard let name = NodeName("n\(node)") else { preconditionFailure("n\(node) is no name") }
        return name
    }
}
