import Simulation
import Testing

@testable import Replication

/// Whole clusters in virtual time, 2,000 of them; `scripts/simulate` runs many more, and longer ones.
struct SwarmTests {
    private static let chunk: UInt64 = 50

    @Test(arguments: 0..<20)
    func `nodes never diverge while delays and clocks are bounded`(part: UInt64) {
        expectNoFault(part: part, regime: .mild)
    }

    @Test(arguments: 20..<40)
    func `whatever goes wrong is found and repaired`(part: UInt64) {
        expectNoFault(part: part, regime: .wild)
    }

    private func expectNoFault(part: UInt64, regime: Scenario.Regime) {
        for seed in part * Self.chunk..<(part + 1) * Self.chunk {
            let result = Simulation(Scenario(seed: seed, regime: regime)).run()
            #expect(result.fault == nil, "seed \(seed), \(regime.rawValue)")
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a seed gives the same trace each time`(seed: UInt64) {
        let scenario = Scenario(seed: seed)
        let (first, second) = (Simulation(scenario).run(), Simulation(scenario).run())
        #expect(first == second, "seed \(seed)")
    }

    @Test func `seeds give different traces`() {
        let traces = (0..<20).map { Simulation(Scenario(seed: $0)).run().trace }
        #expect(Set(traces).count == traces.count)
    }
}

/// A simulation that finds nothing may be blind: each of these must be found.
struct FlawTests {
    @Test(arguments: [
        (Flaw.noRelay, "no relay"), (.tieByArrival, "ties by arrival"),
        (.duplicateNotDropped, "duplicates not dropped"),
        (.watermarkTooEarly, "watermark announced too early"),
        (.confirmedAfterStamping, "confirmations counted after stamping"),
        (.sequenceReused, "numbers reused after a restart"),
    ])
    func `the simulation finds a broken variant`(flaw: Flaw, name: String) {
        let seedsMax: UInt64 = 2_000
        let found = (0..<seedsMax).contains { seed in
            Simulation(Scenario(seed: seed, regime: .mild), flaws: flaw).run().fault != nil
        }
        #expect(found, "\(name) went unnoticed in \(seedsMax) seeds")
    }
}
