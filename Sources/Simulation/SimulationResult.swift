/// What came of one seed.
public struct SimulationResult: Hashable, Sendable {
    public var seed: UInt64
    public var regime: Scenario.Regime
    /// Of all that happened: two runs of a seed must have the same.
    public var trace: UInt64 = 0
    public var events = 0
    /// Commands that a node acknowledged.
    public var commands = 0
    public var executed = 0
    public var late = 0
    public var unconfirmed = 0
    public var duplicates = 0
    public var troubles: [Trouble: Int] = [:]
    /// Nodes that found that they differ from another, and those that were rebuilt.
    public var divergences = 0
    public var rebuilds = 0
    /// What must not be, in one line.
    public var fault: String?
    /// Virtual microseconds.
    public var duration: Int64 = 0
}
