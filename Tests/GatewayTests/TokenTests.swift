import Foundation
import OrderBook
import Testing

@testable import Gateway

@Suite struct TokenTests {
    private func parse(_ text: String) throws -> Tokens { try Tokens(parsing: Array(text.utf8), path: "t") }

    @Test(arguments: [
        "aa ann\nbb bob\n", "aa ann\r\nbb bob\r\n", "\u{FEFF}aa ann\nbb bob", "# all\n\naa\tann # her\n  bb   bob  \n",
    ])
    func `lines of a token and a user are read, however they end`(text: String) throws {
        let tokens = try parse(text)
        #expect(tokens.count == 2)
        #expect(tokens.user(of: Tokens.ID("aa".utf8)) == UserID("ann"))
        #expect(tokens.user(of: Tokens.ID("bb".utf8)) == UserID("bob"))
        #expect(tokens.user(of: Tokens.ID("aa\r".utf8)) == nil)
    }

    @Test(arguments: [
        ("hunter2\n", "t, line 1: a token and a user belong there, separated by a space; 1 words are"),
        ("aa ann\nhunter2 x y\n", "t, line 2: a token and a user belong there, separated by a space; 3 words are"),
        ("hunter2 ann\nbb bob\nhunter2 bob\n", "t, line 3: this token stands there twice; leave one of them"),
        ("h\u{FC}nter2 ann\n", "t, line 1: a token has at most 4096 letters, all of them visible ASCII"),
        (
            "hunter2 a\u{1}b\n",
            "t, line 1: a user id holds no U+0001: it cannot be seen, or changes the direction of what follows"
        ),
        (
            "hunter2 a\u{202E}b\n",
            "t, line 1: a user id holds no U+202E: it cannot be seen, or changes the direction of what follows"
        ),
        (
            "hunter2 \(String(repeating: "x", count: 65))\n",
            "t, line 1: a user id has 1 to 64 bytes of UTF-8, not 65"
        ),
    ])
    func `what is wrong is named by its line, and no token is shown`(text: String, expected: String) throws {
        let fault = try #require(throws: GatewayFault.self) { try parse(text) }
        #expect(fault.description == expected)
        #expect(!fault.description.contains("unter2"))
    }

    @Test func `bytes that are no text, and a file that is none, are faults`() throws {
        #expect(throws: GatewayFault.self) { try Tokens(parsing: [0x61, 0x20, 0xE9], path: "t") }
        for path in ["/nonexistent/tokens", "/"] {
            #expect(throws: GatewayFault.self) { try TokenFile(path: path).read() }
        }
        let empty = FileManager.default.temporaryDirectory.appending(path: "tokens-\(UUID())")
        try Data("# none yet\n".utf8).write(to: empty)
        defer { try? FileManager.default.removeItem(at: empty) }
        let fault = try #require(throws: GatewayFault.self) { try TokenFile(path: empty.path).read() }
        #expect(fault.description.contains("has no token"))
        #expect(GatewayConfiguration(tokens: [:]).fault?.contains("there is no token") == true)
    }

    @Test func `no dump of a configuration shows a token`() {
        var text = ""
        let configuration = GatewayConfiguration(tokens: ["hunter2": "ann"])
        dump(configuration, to: &text)
        text += "\(configuration) \(String(reflecting: configuration))"
        #expect(!text.contains("hunter2"))
    }
}

@Suite struct GuessLimiterTests {
    private let start = ContinuousClock.now
    private let good = Tokens.ID("good".utf8)
    private let bad = Tokens.ID("bad".utf8)
    private func address(_ text: String) -> ClientAddress { ClientAddress(IPAddress(text)!) }

    private func limiter() -> GuessLimiter { GuessLimiter(failuresMax: 10, addressesMax: 100) }

    @Test func `of 20,000 guesses in a second a dozen are looked at`() {
        var limiter = limiter()
        var looked = 0
        for number in 0..<20_000 {
            let now = start + .microseconds(50 * number)
            if limiter.judge(bad, isRight: false, from: address("192.0.2.1"), now: now) == .wrong { looked += 1 }
        }
        #expect(looked == 11)
    }

    @Test func `each further guess makes the wait twice as long, up to five minutes, and rest ends it`() {
        var limiter = limiter()
        var now = start
        var waits: [Int64] = []
        for _ in 0..<40 {
            guard case .mustWait(let wait) = limiter.judge(bad, isRight: false, from: address("192.0.2.1"), now: now)
            else {
                continue
            }
            waits.append(wait.components.seconds)
            now += wait
        }
        #expect(waits.prefix(4) == [1, 2, 4, 8])
        #expect(waits.last == 300)
        now += .seconds(901)
        for _ in 0..<11 {
            let verdict = limiter.judge(bad, isRight: false, from: address("192.0.2.1"), now: now)
            #expect(verdict == .wrong)
        }
    }

    @Test func `whoever guesses stops nobody at another address, and nobody who came in from there before`() {
        var limiter = limiter()
        let early = limiter.judge(good, isRight: true, from: address("192.0.2.1"), now: start)
        #expect(early == .granted)
        let other = Tokens.ID("other".utf8)
        for _ in 0..<100 { _ = limiter.judge(bad, isRight: false, from: address("192.0.2.1"), now: start) }
        let verdicts = [
            limiter.judge(good, isRight: true, from: address("192.0.2.1"), now: start),
            limiter.judge(good, isRight: true, from: address("192.0.2.2"), now: start),
            limiter.judge(other, isRight: true, from: address("192.0.2.1"), now: start),
        ]
        // The last guessed it, for all that is known.
        #expect(verdicts == [.granted, .granted, .mustWait(.seconds(1))])
    }

    @Test func `on this machine right tokens pass all the time: a proxy's clients share its address`() {
        var limiter = limiter()
        for _ in 0..<100 { _ = limiter.judge(bad, isRight: false, from: address("127.0.0.1"), now: start) }
        let verdict = limiter.judge(good, isRight: true, from: address("127.0.0.1"), now: start)
        #expect(verdict == .granted)
    }

    @Test func `an IPv6 network counts as one address, and an IPv4 address in it as itself`() {
        #expect(address("2001:db8:1:2::1") == address("2001:db8:1:2:ffff::9"))
        #expect(address("2001:db8:1:2::1") != address("2001:db8:1:3::1"))
        #expect(address("::ffff:192.0.2.1") == address("192.0.2.1"))
        #expect(address("::1").isLoopback && address("127.3.2.1").isLoopback && !address("128.0.0.1").isLoopback)
    }

    @Test func `as many addresses are remembered as may be`() {
        var limiter = limiter()
        for number in 0..<10_000 {
            let text = "10.0.\(number / 256).\(number % 256)"
            _ = limiter.judge(bad, isRight: false, from: address(text), now: start)
            #expect(limiter.addressCount <= 100)
        }
    }
}
