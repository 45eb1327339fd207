import ArgumentParser

/// `pgbook bench`: the measuring instrument; `scripts/bench` compares what it gives.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure throughput and latency on a database made for it.",
        discussion: """
            Each subcommand runs one contestant once and prints what it measured. scripts/bench runs them in turn on
            throwaway databases, several rounds, and prints medians and ratios.
            """,
        subcommands: [BenchSocketCommand.self])
}
