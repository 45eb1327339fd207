import Simulation
import Testing

@testable import Replication

/// Whole clusters in virtual time, 2,000 of them, each twice: a seed must give the same trace. `scripts/simulate` runs many
/// more.
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
            let result = Simulation(Scenario(seed: seed, regime: regime)).runTwice()
            #expect(result.fault == nil, "seed \(seed), \(regime.rawValue)")
        }
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
