import ArgumentParser
import History
import OrderBook
import Postgres
import Store

/// The range that a statistic looks at.
struct StatsRange: ParsableArguments {
    @Argument(help: "The market; may be left out where there is one only.")
    var market: String?
    @Option(
        help: ArgumentHelp(
            "The first moment, such as 2026-11-21 or 2026-11-21T10:00:00Z (UTC); by default 24 hours before the end.",
            valueName: "time"))
    var from: String?
    @Option(
        help: ArgumentHelp(
            "The end, the first moment that does not count; by default just after the last trade.", valueName: "time"))
    var to: String?
    @Flag(help: "From the market's first trade on.")
    var all = false

    func validate() throws {
        if all, from != nil { throw ValidationError("--all and --from exclude each other") }
    }

    fileprivate func range(of market: String) throws -> AnalyticsRange {
        let start: AnalyticsRange.Start =
            if all { .beginning } else if let from { .time(try rangeTime(from, "from")) } else { .lastDay }
        return AnalyticsRange(market: market, from: start, to: try to.map { try rangeTime($0, "to") })
    }
}

private func rangeTime(_ text: String, _ field: String) throws -> Timestamp {
    guard let time = timestamp(text) else {
        throw Failure(
            .refused, "--\(field) '\(text.prefix(50))' is not a time such as 2026-11-21 or 2026-11-21T10:00:00Z",
            code: OutcomeCode.badValue.name, field: field)
    }
    return time
}

/// A row per bucket.
struct BucketOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A row per interval: \(CandleInterval.names).", valueName: "interval"))
    var by: String?
    @Option(
        help: ArgumentHelp("The time zone in which 1d, 1w and 1M begin, such as Europe/Berlin.", valueName: "name"))
    var tz: String?

    func validate() throws {
        if tz != nil, by == nil { throw ValidationError("--tz goes with --by 1d, 1w or 1M") }
    }

    var buckets: AnalyticsBuckets? { by.map { AnalyticsBuckets($0, timeZone: tz) } }
}

/// What the statistics' commands have in common.
struct StatsOptions: ParsableArguments {
    @OptionGroup var range: StatsRange
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func show(_ statistic: Statistic) throws {
        let connection = try connection.connect(for: .reading)
        let range = try range.range(of: try connection.theMarket(range.market))
        try connection.writeRows(as: format.format, emptyLine: "nothing in this range") { columns, row in
            try Analytics(connection).run(statistic, of: range, columns: columns, forEach: row)
        }
    }
}
