import ArgumentParser
import Glibc
import Simulation
import Synchronization

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run clusters in virtual time, with everything that can go wrong, and check what must hold.",
        discussion: """
            Each seed draws a cluster of 2 to 5 nodes, its network, disks and clocks, and what goes wrong. The nodes run
            the code that decides about order in pgbook gossip, and execute with the order book of the matcher. A mild
            seed keeps delays and clocks within what the window allows: there nodes must never diverge. A wild one does
            not: there they must find it and repair it. No database is needed.

            Example:
              pgbook simulate --seeds 10000
              pgbook simulate --from 4711 --seeds 1 --json

            Exit code 1: a seed failed; the same seed fails again in the same way.
            """)

    @Option(help: "How many seeds, 1 to 1000000000.")
    var seeds = 1_000

    @Option(help: "The first seed.")
    var from: UInt64 = 0

    @Option(help: ArgumentHelp("How many nodes: a number from 2 to 9, or two of them as 2-5.", valueName: "range"))
    var nodes = "2-5"

    @Option(help: "mild or wild (default: each seed draws one).")
    var regime: RegimeOption?

    enum RegimeOption: String, ExpressibleByArgument, CaseIterable {
        case mild, wild
    }

    @Option(help: "How many threads, 1 to 256 (default: one per processor).")
    var threads: Int?

    @Flag(help: "Run each seed once only, without comparing the traces of two runs.")
    var once = false

    @Flag(help: "Print the counts as JSON.")
    var json = false

    func validate() throws {
        guard (1...1_000_000_000).contains(seeds) else {
            throw ValidationError("--seeds \(seeds) is not within 1 to 1000000000")
        }
        guard from <= UInt64(Int64.max) else { throw ValidationError("--from \(from) is above \(Int64.max)") }
        _ = try nodeRange()
        if let threads, !(1...256).contains(threads) {
            throw ValidationError("--threads \(threads) is not within 1 to 256")
        }
    }

    private func nodeRange() throws -> ClosedRange<Int> {
        let ends = nodes.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first <= last,
            first >= 2, last <= 9
        else { throw ValidationError("--nodes \(nodes) is no number from 2 to 9, and no range of them like 2-5") }
        return first...last
    }

    func run() async throws {
        let swarm = Swarm(
            from: from, seeds: seeds, nodes: try nodeRange(),
            regime: regime.flatMap { Scenario.Regime(rawValue: $0.rawValue) },
            isTwice: !once)
        let threads = min(seeds, threads ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<threads { group.addTask { swarm.work() } }
        }
        let (counts, elapsed) = swarm.finish()
        if json { print(counts.json) } else { print(counts.text(elapsed)) }
        guard counts.failed == 0 else {
            throw Failure(
                .refused, "\(counts.failed) of \(counts.seeds) seeds failed; run one again: \(replay(counts))")
        }
    }

    private func replay(_ counts: SwarmCounts) -> String {
        let regime = regime.map { " --regime \($0.rawValue)" } ?? ""
        let nodes = nodes == "2-5" ? "" : " --nodes \(nodes)"
        return "pgbook simulate --from \(counts.faults.first?.seed ?? from) --seeds 1\(nodes)\(regime)"
    }
}

/// Seeds, taken one after the other by several threads.
private final class Swarm: Sendable {
    private struct State {
        var next: UInt64
        var counts = SwarmCounts()
        var bar: ProgressBar
    }

    private let end: UInt64
    private let nodes: ClosedRange<Int>
    private let regime: Scenario.Regime?
    private let isTwice: Bool
    private let state: Mutex<State>

    init(from: UInt64, seeds: Int, nodes: ClosedRange<Int>, regime: Scenario.Regime?, isTwice: Bool) {
        end = from + UInt64(seeds)
        self.nodes = nodes
        self.regime = regime
        self.isTwice = isTwice
        state = Mutex(State(next: from, bar: ProgressBar(total: seeds, unit: "seeds")))
    }

    /// Until there are no more.
    func work() {
        while let seed = next() {
            let simulation = Simulation(Scenario(seed: seed, nodes: nodes, regime: regime))
            let result = isTwice ? simulation.runTwice() : simulation.run()
            state.withLock { state in
                state.counts.add(result)
                state.bar.update(done: state.counts.seeds, count: state.counts.seeds)
            }
        }
    }

    private func next() -> UInt64? {
        state.withLock { state in
            guard state.next < end else { return nil }
            state.next += 1
            return state.next - 1
        }
    }

    func finish() -> (SwarmCounts, Duration) {
        state.withLock { state in
            state.bar.finish()
            return (state.counts, state.bar.elapsed)
        }
    }
}

/// What came of all seeds.
private struct SwarmCounts {
    /// Failures told in full; further ones are only counted.
    static let faultsMax = 20

    var seeds = 0
    var mild = 0
    var failed = 0
    var faults: [(seed: UInt64, text: String)] = []
    private var sums: [(name: String, count: Int)] = [
        ("events", 0), ("commands", 0), ("executed", 0), ("late", 0), ("unconfirmed", 0), ("duplicates", 0),
        ("diverged", 0), ("divergences", 0), ("rebuilds", 0),
    ]
    private var troubles: [Trouble: Int] = [:]

    mutating func add(_ result: SimulationResult) {
        seeds += 1
        if result.regime == .mild { mild += 1 }
        let counts = [
            result.events, result.commands, result.executed, result.late, result.unconfirmed, result.duplicates,
            result.divergences > 0 ? 1 : 0, result.divergences, result.rebuilds,
        ]
        for (index, count) in counts.enumerated() { sums[index].count += count }
        troubles.merge(result.troubles) { $0 + $1 }
        guard let fault = result.fault else { return }
        failed += 1
        faults.append((result.seed, fault))
        // Threads finish in any order; the lowest seeds are kept.
        faults.sort { $0.seed < $1.seed }
        if faults.count > Self.faultsMax { faults.removeLast() }
    }

    private var troublesInOrder: [(name: String, count: Int)] {
        Trouble.allCases.map { ($0.rawValue, troubles[$0] ?? 0) }
    }

    var json: JSON {
        .object(
            [("seeds", .number(seeds)), ("mild", .number(mild)), ("wild", .number(seeds - mild))]
                + sums.map { ($0.name, .number($0.count)) } + [
                    ("troubles", .object(troublesInOrder.map { ($0.name, .number($0.count)) })),
                    ("failed", .number(failed)),
                    (
                        "faults",
                        .array(faults.map { .object([("seed", .number($0.seed)), ("fault", .string($0.text))]) })
                    ),
                ])
    }

    func text(_ elapsed: Duration) -> String {
        var lines = ["\(seeds) seeds (\(mild) mild, \(seeds - mild) wild) in \(elapsed.inSeconds)"]
        lines += sums.map { line($0.name, $0.count) }
        lines.append("what went wrong:")
        lines += troublesInOrder.map { line($0.name, $0.count) }
        lines += faults.map { "seed \($0.seed) FAILED: \($0.text)" }
        if failed > faults.count { lines.append("and \(failed - faults.count) more failed") }
        return lines.joined(separator: "\n")
    }

    private func line(_ name: String, _ count: Int) -> String {
        "  " + name + String(repeating: " ", count: max(1, 16 - name.count)) + String(count)
    }
}
