import Foundation
import TestSupport
import Testing

@Suite struct WatchTests {
    @Test func `without a terminal it prints a frame for every change`() async throws {
        let database = try TestDatabase()
        try database.addMarket()
        let trader = try database.url(as: .trader)
        let watch = try RunningProgram(["watch", "--frames", "2"], database: trader)
        try await eventually("the first frame is there") { watch.output.contains("the book is empty") }
        try await withMatcher(database) {
            try Program.run(["place", "buy", "1", "BTC-USD", "--price", "99.5"], database: trader).requireSuccess()
            let result = try watch.result()
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.contains("bid   99.5       1       1"), "\(result.output)")
            #expect(!result.output.contains("\u{1B}"))
        }
    }

    @Test(arguments: [SIGINT, SIGTERM]) func `a signal ends it with 130`(number: Int32) async throws {
        let database = try TestDatabase()
        try database.addMarket()
        let watch = try RunningProgram(["watch"], database: database.url)
        try await eventually("the first frame is there") { watch.output.contains("the book is empty") }
        watch.signal(number)
        let result = try watch.result()
        #expect(result.status == 130)
    }

    @Test(arguments: [("q", 0), ("\u{03}", 130)] as [(String, Int32)])
    func `at a terminal a key ends it and the screen is put back`(key: String, status: Int32) async throws {
        let database = try TestDatabase()
        try database.addMarket()
        let terminal = try Terminal()
        let watch = try RunningProgram(["watch"], database: database.url, terminal: terminal.programSide)
        try await terminal.wait(for: "the book is empty")
        #expect(terminal.screen.hasPrefix("\u{1B}[?1049h\u{1B}[?25l"))
        terminal.type(key)
        #expect(try watch.result().status == status)
        try await terminal.wait(for: "\u{1B}[?25h\u{1B}[?1049l")
    }

    @Test func `NO_COLOR takes the colours away, not the ladder`() async throws {
        let database = try TestDatabase()
        try database.addMarket()
        let trader = try database.url(as: .trader)
        try await withMatcher(database) {
            try Program.run(["place", "buy", "1", "BTC-USD", "--price", "99.5"], database: trader).requireSuccess()
        }
        for (variables, hasColour) in [([:], true), (["NO_COLOR": "1"], false), (["TERM": "dumb"], false)] {
            let terminal = try Terminal()
            let book = try RunningProgram(
                ["book"], database: trader, environment: variables, terminal: terminal.programSide)
            #expect(try book.result().status == 0)
            try await terminal.wait(for: "█")
            #expect(terminal.screen.contains("\u{1B}[32m") == hasColour)
        }
    }
}
