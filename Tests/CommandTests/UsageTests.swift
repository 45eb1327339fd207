import Foundation
import Testing

/// Every command, as one types it.
private let commands = [
    ["serve"], ["migrate"], ["market", "add"], ["market", "list"], ["market", "halt"], ["market", "resume"], ["place"],
    ["amend"], ["cancel"], ["cancel-all"], ["order"], ["orders"], ["book"], ["trades"], ["watch"], ["shell"],
    ["stats", "ohlcv"], ["stats", "vwap"], ["stats", "twap"], ["stats", "volume-profile"], ["stats", "flow"],
    ["stats", "sizes"], ["stats", "top"], ["stats", "volatility"], ["stats", "spread"], ["stats", "slippage"],
    ["stats", "markout"],
    ["stats", "fills"], ["stats", "latency"], ["query"], ["sql"], ["doctor"], ["bench", "pgbook"], ["bench", "limit"],
    ["bench", "naive-load"], ["cluster"], ["cluster", "init"], ["cluster", "add-node"], ["cluster", "show"],
]

@Suite struct UsageTests {
    @Test(arguments: commands) func `every command has help with an example`(command: [String]) throws {
        let result = try Program.run(command + ["--help"])
        #expect(result.status == 0)
        #expect(result.output.contains("Example:"))
        #expect(result.output.contains("pgbook \(command.joined(separator: " "))"))
        #expect(result.errors == "")
    }

    @Test func `pgbook alone shows its commands and exit codes`() throws {
        let result = try Program.run([])
        #expect(result.status == 0)
        #expect(result.output.contains("Exit codes:"))
    }

    @Test(arguments: [
        (["plaec"], "did you mean 'place'?"),
        (["migrat"], "did you mean 'migrate'?"),
        (["xyzzy-frobnicate"], "see: pgbook --help"),
        (["place", "buy"], "see: pgbook place --help"),
        (["place", "buy", "1", "X", "--pric", "3"], "Did you mean '--price'?"),
        (["amend", "0197c1d8-5a00-7000-8000-000000000000"], "nothing to change"),
        (["amend", "0197c1d8-5a00-7000-8000-000000000000", "--reduce", "1", "--price", "2"], "--reduce stands alone"),
        (["orders", "--limit", "0"], "--limit 0 is outside 1 to 10000"),
        (["book", "--depth", "99999999999999999999"], "--depth"),
        (["place", "buy", "1", "X", "--timeout", "5"], "--timeout"),
        (["serve", "--roles", "gateway,cook"], "role 'cook' is unknown"),
        (["serve", "--port", "70000"], "--port 70000"),
        (["serve", "--log-level", "loud"], "log level 'loud' is unknown"),
        (["cluster", "init", "--name", "A", "x"], "--name 'A' is not 1 to 55 of a-z, 0-9 and -"),
        (["cluster", "init", "--name", "a", "--window", "0", "x"], "--window 0"),
        (["cluster", "add-node", "-a", "x"], "see: pgbook cluster --help"),
        (["cluster", "add-node", "A", "x"], "'A' is no node's name"),
        (["cluster", "add-node", "a", "--host", "h:x", "y"], "--host 'h:x' is neither HOST nor HOST:PORT"),
        (["order"], "give an id or --client-order-id"),
    ])
    func `what is not understood is one line and exit code 2`(arguments: [String], expected: String) throws {
        let result = try Program.run(arguments)
        #expect(result.status == 2)
        #expect(result.output == "")
        #expect(result.errors.hasPrefix("pgbook: "))
        #expect(result.errors.contains(expected), "\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }
}
