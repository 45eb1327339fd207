package import Replication

/// Runs one seed.
public struct Simulation: Sendable {
    private let scenario: Scenario
    private let flaws: Flaw

    public init(_ scenario: Scenario) {
        self.init(scenario, flaws: [])
    }

    package init(_ scenario: Scenario, flaws: Flaw) {
        self.scenario = scenario
        self.flaws = flaws
    }

    public func run() -> SimulationResult {
        var cluster = Cluster(scenario, flaws: flaws)
        return cluster.run()
    }

    /// Runs it twice: the same seed must give the same trace.
    public func runTwice() -> SimulationResult {
        var result = run()
        if run().trace != result.trace, result.fault == nil { result.fault = "two runs of it differ" }
        return result
    }

    /// Runs it with a line for all that happens.
    package func run(log: @escaping (String) -> Void) -> SimulationResult {
        var cluster = Cluster(scenario, flaws: flaws)
        cluster.log = log
        return cluster.run()
    }
}
