import ArgumentParser
import History
import OrderBook

// How orders fared: the statistics of execution quality.

struct VolatilityStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volatility", abstract: "Volatility of returns: close to close, and Parkinson's.",
        discussion: """
            A fraction per interval: 0.001 is 0.1 %. Parkinson's takes highs and lows. An interval without a trade counts
            with a return of 0.

            Example:
              pgbook stats volatility BTC-USD --interval 5m --by 1d
            """)

    @Option(help: "The candles whose returns are looked at.")
    var interval = "5m"
    @Flag(name: .customLong("annualise"), help: "Times the root of the number of intervals in 365 days.")
    var isAnnualised = false
    @OptionGroup var buckets: BucketOptions
    @OptionGroup var options: StatsOptions

    func run() throws {
        try options.show(.volatility(interval: interval, buckets.buckets, isAnnualised: isAnnualised))
    }
}

struct SpreadStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spread", abstract: "Quoted, effective and realised spread.",
        discussion: """
            Each weighted by amount, in price and in basis points of the mid: quoted is ask - bid just before the match,
            effective 2·side·(price - mid), realised the same against the mid a horizon later.

            Example:
              pgbook stats spread BTC-USD --horizon 5s --by 1h
            """)

    @Option(help: "How much later the realised spread looks, up to 1d.")
    var horizon = TimeSpan(.seconds(5))
    @OptionGroup var buckets: BucketOptions
    @OptionGroup var options: StatsOptions

    // How long it may be the database knows.
    func validate() throws { try horizon.require("--horizon", .zero ... .microseconds(Bounds.spanMax)) }

    func run() throws { try options.show(.spread(horizonMicroseconds: horizon.microseconds, buckets.buckets)) }
}

struct SlippageStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slippage", abstract: "What each taker order paid over mid and touch at its arrival.",
        discussion: """
            In basis points, a row per execution of a taker order; above zero is a cost.

            Example:
              pgbook stats slippage BTC-USD --from 2026-11-21 --format csv
            """)

    @OptionGroup var options: StatsOptions

    func run() throws { try options.show(.slippage) }
}

struct MarkoutStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "markout", abstract: "What takers gained in the seconds after their trades.",
        discussion: """
            Weighted by amount, in price and in basis points, a row per horizon. --against last takes the last price
            instead of the mid, for a history without quotes.

            Example:
              pgbook stats markout BTC-USD --at 1s,5s,30s
            """)

    @Option(help: ArgumentHelp("How much later, up to 16 spans of up to 1d.", valueName: "spans"))
    var at = "1s,5s,30s"
    @Option(help: "mid or last (default: mid).", transform: reference)
    var against = MarkoutReference.mid
    @OptionGroup var buckets: BucketOptions
    @OptionGroup var options: StatsOptions

    func run() throws {
        let spans = try at.split(separator: ",", omittingEmptySubsequences: false).map { word in
            let span = TimeSpan(argument: String(word))
            guard span.isReadable else {
                throw Failure(
                    .refused, "--at '\(word.prefix(50))' is not a span such as 500ms, 5s or 1m", code: "bad_value",
                    field: "at")
            }
            return span.microseconds
        }
        try options.show(.markout(horizonsMicroseconds: spans, against: against, buckets.buckets))
    }
}

private func reference(_ word: String) throws -> MarkoutReference {
    guard let reference = MarkoutReference(rawValue: word) else {
        throw ValidationError("--against '\(word)' is unknown; use mid or last")
    }
    return reference
}

struct FillsStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fills", abstract: "How many orders were filled or cancelled, and how soon.",
        discussion: """
            Of the orders given in the range and not refused, what became of them by its end. Times are microseconds from
            the order to its first trade.

            Example:
              pgbook stats fills BTC-USD --by 1h
            """)

    @OptionGroup var buckets: BucketOptions
    @OptionGroup var options: StatsOptions

    func run() throws { try options.show(.fills(buckets.buckets)) }
}

struct LatencyStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency", abstract: "Microseconds from accepted to executed.",
        discussion: """
            Of commands that waited in the inbox. A server with the matcher in it executes most commands in the
            transaction that logs them: those are counted as at_once.

            Example:
              pgbook stats latency BTC-USD --by 1m
            """)

    @OptionGroup var buckets: BucketOptions
    @OptionGroup var options: StatsOptions

    func run() throws { try options.show(.latency(buckets.buckets)) }
}
