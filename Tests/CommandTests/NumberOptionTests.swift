import TestSupport
import Testing

/// Values at which arithmetic ends, and words that are no numbers.
private let spans = [
    "1000000000d", "106751991167d", "9223372036854775807us", "9223372036854775808us", "99999999999999999999999999h",
    "3652060d", "-1s", "1e9s", "1", "", "d", "0x1s", "١s", "18446744073709551616ms",
]
private let times = [
    "9999-12-31T23:59:59-99:99", "0001-01-01T00:00:00+99:99", "0000-01-01", "10000-01-01", "-0001-01-01", "2026-02-30",
    "2026-13-01", "99999-01-01", "9223372036854775807", "٢٠٢٦-٠١-٠١", "infinity", "-infinity", "NaN", "",
]
private let numbers = [
    "9223372036854775807", "-9223372036854775808", "9223372036854775808", "-1", "0", "1e3", "0x10", "NaN", "", "٣",
    "99999999999999999999999999999999999999999999999",
]
private let decimals = [
    "99999999999999999999999999999999999999999", "-1", "NaN", "infinity", "1e400", "", ".", "1..2", "٣",
    "0.000000000000000000000000000000000000000000001",
]

/// Each option that takes a number, a span or a time, among the arguments that go with it; `$` is the value.
private let options: [([String], [String])] = [
    (["serve", "--window", "$"], spans), (["serve", "--interval", "$"], spans), (["serve", "--port", "$"], numbers),
    (["place", "buy", "1", "M", "--price", "1", "--expires", "$"], spans + times),
    (["place", "buy", "1", "M", "--timeout", "$"], spans), (["place", "buy", "$", "M"], decimals),
    (["place", "buy", "1", "M", "--price", "$"], decimals),
    (["retention", "--keep", "$"], spans), (["retention", "--chunk", "$"], spans),
    (["doctor", "--patience", "$"], spans), (["retention", "--keep", "1d", "--patience", "$"], spans),
    (["query", "-", "--timeout", "$"], spans),
    (["watch", "M", "--interval", "$"], spans), (["watch", "M", "--depth", "$"], numbers),
    (["watch", "M", "--frames", "$"], numbers.filter { $0 != "9223372036854775807" }),
    (["book", "M", "--depth", "$"], numbers), (["trades", "M", "--limit", "$"], numbers),
    (["orders", "M", "--limit", "$"], numbers),
    (["candles", "M", "--from", "$"], times), (["candles", "M", "--to", "$"], times),
    (["candles", "M", "--last", "$"], numbers), (["bust", "$", "--market", "M", "--reason", "r"], numbers),
    (["export", "trades", "M", "--from", "$"], times), (["export", "trades", "M", "--to", "$"], times),
    (["export", "candles", "M", "--from", "$"], times), (["export", "orders", "M", "--to", "$"], times),
    (["stats", "vwap", "M", "--from", "$"], times), (["stats", "twap", "M", "--to", "$"], times),
    (["stats", "volume-profile", "M", "--bins", "$"], numbers), (["stats", "top", "M", "--users", "$"], numbers),
    (["stats", "spread", "M", "--horizon", "$"], spans),
    (["stats", "markout", "M", "--at", "$"], spans),
    (["market", "add", "X", "--tick", "$", "--lot", "1"], decimals),
    (["market", "add", "X", "--tick", "1", "--lot", "$"], decimals),
    (["market", "add", "X", "--tick", "1", "--lot", "1", "--max-amount", "$"], decimals),
    (["market", "add", "X", "--tick", "1", "--lot", "1", "--max-price", "$"], decimals),
    (["market", "add", "X", "--tick", "1", "--lot", "1", "--max-notional", "$"], decimals),
    (["import", "trades", "/dev/null", "--security", "X", "--tick", "$", "--lot", "1"], decimals),
    (["gossip", "--config", "x", "--check", "$"], spans), (["gossip", "--config", "x", "--clock-error", "$"], numbers),
    (["cluster", "init", "--name", "a", "--window", "$", "x"], spans),
    (["cluster", "init", "--name", "a", "--confirmations", "$", "x"], numbers.filter { $0 != "0" }),
    (["cluster", "add-node", "a", "--host", "h:$", "x"], numbers.filter { $0 != "0" }),
    (["simulate", "--seeds", "$"], numbers),
    (["simulate", "--from", "$"], numbers.filter { !$0.isEmpty && Int64($0) == nil }),
    (["simulate", "--nodes", "$"], numbers), (["simulate", "--threads", "$"], numbers),
    (["replay", "--memory", "--batch", "$", "/dev/null"], numbers),
    (["bench", "socket", "--market", "M", "--port", "$"], numbers),
    (["bench", "socket", "--market", "M", "--rate", "$"], numbers),
    (["bench", "socket", "--market", "M", "--duration", "$", "--rate", "1000000"], spans),
    (["bench", "socket", "--market", "M", "--orders", "$"], numbers),
    (["bench", "pgbook", "--orders", "$"], numbers), (["bench", "trades", "--days", "$"], numbers),
    (["bench", "trades", "--from", "$"], times), (["bench", "trades", "--trades", "$"], numbers),
]

@Suite struct NumberOptionTests {
    /// Nothing listens there: whatever gets so far as to connect has taken the value, which is right for some.
    private static let nowhere = "postgresql://127.0.0.1:1/none?connect_timeout=1"

    @Test func `no value of an option ends the program by a signal, and each refusal is one line`() throws {
        for (index, (arguments, values)) in options.enumerated() {
            // The worst one everywhere, the others in turn.
            for value in values.prefix(1) + (0..<2).map({ values[(index * 2 + $0) % values.count] }) {
                let words = arguments.map { $0.replacing("$", with: value) }
                let result = try Program.run(words, database: Self.nowhere)
                #expect([1, 2, 3].contains(result.status), "\(words): \(result.status) \(result.errors)")
                #expect(result.output == "", "\(words): \(result.output)")
                #expect(result.errors.split(separator: "\n").count == 1, "\(words): \(result.errors)")
            }
        }
    }

    @Test(arguments: [
        (["retention", "--keep", "1000000000d"], "--keep 1000000000d is not within 1us to 365000d"),
        (["retention", "--chunk", "1000000000d"], "--chunk 1000000000d is not within 1s to 3650d"),
        (["serve", "--window", "1000000000d"], "--window 1000000000d is not within 0s to 3600s"),
        (["serve", "--interval", "2h"], "--interval 7200s is not within 0s to 3600s"),
        (["query", "-", "--timeout", "25d"], "--timeout 25d is not within 0s to 24d"),
        (["stats", "top", "M", "--users", "0"], "--users 0 is not within 1 to 10000"),
        (["bench", "socket", "--market", "M", "--port", "70000"], "--port 70000 is not within 1 to 65535"),
    ])
    func `a value outside its bounds is told both`(arguments: [String], message: String) throws {
        let result = try Program.run(arguments, database: Self.nowhere)
        #expect(result.status == 2)
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test(arguments: ["1000000000d", "2913000d"]) func `an expiry beyond the year 9999 is refused`(span: String) throws
    {
        let result = try Program.run(
            ["place", "buy", "1", "M", "--price", "1", "--expires", span], database: Self.nowhere)
        #expect(result.status == 1)
        #expect(result.errors.contains("expiry '\(span)' is beyond the year 9999"), "\(result.errors)")
    }
}
