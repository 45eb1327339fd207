import ArgumentParser

/// `pgbook bench`: the measuring instrument; `scripts/bench` compares what it gives.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure throughput and latency on a database made for it.",
        discussion: """
            Each subcommand runs one contestant once and prints what it measured. scripts/bench runs them in turn on
            throwaway databases, several rounds, and prints medians and ratios.

            Example:
              pgbook bench pgbook --flow crossing --orders 100000 --batch 1000
            """,
        subcommands: [
            BenchPgbook.self, BenchLimit.self, BenchNaiveLoad.self, BenchSocketCommand.self,
            BenchTrades.self,
        ])
}
