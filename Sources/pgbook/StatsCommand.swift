import ArgumentParser
import History

struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Analyze a market's trades and orders.",
        discussion: """
            Each is also a SQL function with the same result: select * from pgbook.vwap('BTC-USD', by => '1h').
            Ranges are [from, to), by default the 24 hours up to the last trade; busted trades are left out.

            Example:
              pgbook stats vwap BTC-USD --from 2026-11-01 --to 2026-12-01 --by 1d
              pgbook stats volume-profile BTC-USD --all --format csv
            """,
        subcommands: [
            OhlcvStats.self, VwapStats.self, TwapStats.self, VolumeProfileStats.self, FlowStats.self, SizesStats.self,
            TopStats.self, VolatilityStats.self, SpreadStats.self, SlippageStats.self, MarkoutStats.self,
            FillsStats.self, LatencyStats.self,
        ])
}

struct OhlcvStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ohlcv", abstract: "Open, high, low, close and volume.",
        discussion: """
            A bucket that the range cuts holds what is inside; pgbook candles shows whole buckets only.

            Example:
              pgbook stats ohlcv BTC-USD --by 1h
            """)

    @OptionGroup var buckets: BucketOptions
    @OptionGroup var options: StatsOptions

    func run() throws { try options.show(.ohlcv(buckets.buckets)) }
}

struct VwapStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vwap", abstract: "Volume-weighted average price.",
        discussion: """
            Σ price·amount / Σ amount.

            Example:
              pgbook stats vwap BTC-USD --from 2026-11-21 --by 1h
            """)

    @OptionGroup var buckets: BucketOptions
    @OptionGroup var options: StatsOptions

    func run() throws { try options.show(.vwap(buckets.buckets)) }
}

struct TwapStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "twap", abstract: "Time-weighted average price.",
        discussion: """
            The last price, weighted by how long it held inside the range; one from before the range holds at its
            beginning.

            Example:
              pgbook stats twap BTC-USD --from 2026-11-21T10:00:00Z --to 2026-11-21T11:00:00Z
            """)

    @OptionGroup var buckets: BucketOptions
    @OptionGroup var options: StatsOptions

    func run() throws { try options.show(.twap(buckets.buckets)) }
}

struct VolumeProfileStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume-profile", abstract: "Volume by price, point of control, 70 % value area.",
        discussion: """
            Bins of equally many ticks from the lowest price up. The value area grows from the fullest bin by the larger
            neighbour until 70 % of the volume is inside.

            Example:
              pgbook stats volume-profile BTC-USD --bins 40
            """)

    @Option(help: "At most so many bins (up to 1000).")
    var bins = 24
    @OptionGroup var options: StatsOptions

    func validate() throws {
        guard 1...1000 ~= bins else { throw ValidationError("--bins \(bins) is not within 1 to 1000") }
    }

    func run() throws { try options.show(.volumeProfile(bins: bins)) }
}

struct FlowStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flow", abstract: "Taker buys less taker sells, over volume.",
        discussion: """
            From -1, takers only sold, to 1, they only bought.

            Example:
              pgbook stats flow BTC-USD --by 15m
            """)

    @OptionGroup var buckets: BucketOptions
    @OptionGroup var options: StatsOptions

    func run() throws { try options.show(.flow(buckets.buckets)) }
}

struct SizesStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sizes", abstract: "Trade sizes: a log2 histogram and percentiles.",
        discussion: """
            Bins of 2^k to below 2^(k+1) lots. p50, p90 and p99 are of the whole range.

            Example:
              pgbook stats sizes BTC-USD --all
            """)

    @OptionGroup var options: StatsOptions

    func run() throws { try options.show(.sizes) }
}

struct TopStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "The users with the largest volume, and their maker share.",
        discussion: """
            Example:
              pgbook stats top BTC-USD --users 10
            """)

    @Option(help: "At most so many (up to 10000).")
    var users = 20
    @OptionGroup var options: StatsOptions

    func validate() throws {
        guard 1...10_000 ~= users else { throw ValidationError("--users \(users) is not within 1 to 10000") }
    }

    func run() throws { try options.show(.top(users: users)) }
}
