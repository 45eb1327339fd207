import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct ShellTests {
    @Test func `a script runs line by line, and each fault names its line`() async throws {
        let database = try TestDatabase()
        try database.addMarket()
        let script = """
            # a comment, and an empty line

            buy 2 @ 100
            sell 0.5 market
            frobnicate
            buy 1 @ 100.3   # off the tick
            sell 1 @101 post-only expires 10m id mine in BTC-USD
            amend last amount 0.75 price 102
            cancel last
            cancel last
            book 3
            trades
            orders all
            cancel-all buy
            quit
            buy 1 @ 1
            """
        try await withMatcher(database) {
            let result = try Program.run(["shell"], database: database.url(as: .trader), input: script)
            #expect(result.status == 2, "that of the first line that failed")
            let faults = result.errors.split(separator: "\n")
            #expect(faults.count == 3, "\(result.errors)")
            #expect(faults.first?.hasPrefix("pgbook: line 5: 'frobnicate' is not a command") == true)
            #expect(faults.dropFirst().first?.hasPrefix("pgbook: line 6: refused (off_tick)") == true)
            #expect(faults.last?.hasPrefix("pgbook: line 10: refused (already_closed)") == true)
            let words = result.lines.map { $0.split(separator: " ").first ?? "" }
            #expect(
                words.filter { ["open", "filled", "amended", "cancelled", "done"].contains($0) }
                    == ["open", "filled", "open", "amended", "cancelled", "done"], "\(result.output)")
            #expect(!result.output.contains("@ 1 "), "nothing runs after quit")
        }
    }

    @Test func `a script without fault ends with 0, and with --json every line of output is JSON`() async throws {
        let database = try TestDatabase()
        try database.addMarket()
        try await withMatcher(database) {
            let script = "buy 2 @ 100\nbook\norders\ntrades\nmarkets\norder last\ncancel-all"
            let result = try Program.run(["shell", "--json"], database: database.url(as: .trader), input: script)
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.lines.count == 7)
            for line in result.lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
        }
    }

    @Test(arguments: [
        ("buy", "an amount is missing"), ("buy 1", "at what price?"), ("buy 1 @", "a price is missing"),
        ("buy 1 @ 1 foo", "'foo' is not an option"), ("sell x market", "'x' is not a decimal"),
        ("cancel", "which order?"),
        ("cancel xyz", "is not an order id"), ("cancel last", "no order was placed"),
        ("amend last", "nothing to change"),
        ("book 0", "not a number from 1"), ("quit now", "'now' is too much"), ("byu 1 @ 1", "did you mean 'buy'?"),
        ("market NOPE", "there is no market"), ("buy 1 @ 1 expires", "wants a time"),
        ("buy 1 @ 1 ioc expires 10m", "gtd only"), ("order 0197c1d8-5a00-7000-8000-000000000000", "there is no order"),
    ])
    func `a line that is not understood says what is missing`(line: String, expected: String) throws {
        let database = try TestDatabase()
        try database.addMarket()
        let result = try Program.run(["shell"], database: database.url(as: .trader), input: line + "\n")
        #expect([1, 2].contains(result.status))
        #expect(result.errors.contains(expected), "\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1)
    }

    @Test func `at a terminal it prompts, edits, remembers lines, and ends with the input`() async throws {
        let database = try TestDatabase()
        try database.addMarket()
        let terminal = try Terminal()
        let shell = try RunningProgram(["shell"], database: database.url(as: .trader), terminal: terminal.programSide)
        try await terminal.wait(for: "BTC-USD> ")
        terminal.type("bokk\u{7F}\u{1B}[Do\r")  // one letter taken away, one put in the middle
        try await terminal.wait(for: "the book is empty")
        terminal.type("half a line\u{03}")
        try await terminal.wait(for: "^C")
        terminal.type("\u{1B}[A\r")
        try await terminal.wait(for: "the book is empty", count: 2)
        terminal.type("\u{04}")
        #expect(try shell.result().status == 0)
    }

    @Test func `at a terminal SIGTERM ends it, and the terminal is as it was`() async throws {
        let database = try TestDatabase()
        let terminal = try Terminal()
        let before = terminal.settings
        let shell = try RunningProgram(["shell"], database: database.url, terminal: terminal.programSide)
        try await terminal.wait(for: "pgbook> ")
        #expect(terminal.settings != before)
        shell.signal(SIGTERM)
        #expect(try shell.result().status == 130)
        #expect(terminal.settings == before)
    }
}
