import Foundation
import OrderBook
import TestSupport
import Testing

private let page = SharedData.repository.appending(path: "Sources/pgbook/pgbook.docc/Refusals.md")

/// The page's table, from the cases that every road is tried with.
private func table() -> String {
    var lines = ["| command | what is wrong | code |", "|---|---|---|"]
    for refused in RoadCase.all {
        lines.append("| \(refused.commandName) | \(refused) | `\(refused.code.name)` |")
    }
    return lines.joined(separator: "\n") + "\n"
}

@Suite struct RefusalTableTests {
    @Test func `the page of refusals is what the roads are tried with`() throws {
        let text = try String(contentsOf: page, encoding: .utf8)
        let start = try #require(text.range(of: "| command |")).lowerBound
        let end = text[start...].range(of: "\n\n")?.lowerBound ?? text.endIndex
        if ProcessInfo.processInfo.environment["PGBOOK_WRITE_SNAPSHOT"] != nil {
            try (text[..<start] + table().dropLast() + text[end...]).write(to: page, atomically: true, encoding: .utf8)
        }
        #expect(
            text[start..<end].trimmingCharacters(in: .newlines) == table().trimmingCharacters(in: .newlines),
            "PGBOOK_WRITE_SNAPSHOT=1 scripts/test --filter RefusalTable writes the table anew")
    }

    @Test func `every code that does not depend on other nodes is among them`() {
        // Late takes a window, unconfirmed other nodes, not_ready a sidecar that is not there, busy another session's locks:
        // tests of their own.
        let elsewhere: Set<OutcomeCode> = [.late, .unconfirmed, .notReady, .busy, .unreadable, .unexecutable]
        #expect(Set(RoadCase.all.map(\.code)) == Set(OutcomeCode.allCases.filter(\.isRefusal)).subtracting(elsewhere))
    }
}
