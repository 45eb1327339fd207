import Foundation
import History
import OrderBook
import Postgres
import Store
import TestRandom
import TestSupport

/// A market of tick 0.5 and lot 0.001 with a random history, and what the analytics say of it.
struct AnalyticsDesk {
    let trades: RandomTrades
    let seed: UInt64
    let connection: Connection
    private let database: TestDatabase

    init(
        seed: UInt64 = .random(in: 0 ... .max), count: Int = 500, from start: Int64 = 1_740_787_213_000_000
    ) throws {
        self.seed = seed
        print("seed \(seed)")
        trades = RandomTrades(seed: seed, count: count, from: start)
        database = try TestDatabase()
        try database.addMarket("M")
        let owner = try database.connection()
        try trades.insert(into: owner, market: "M")
        var configuration = try database.configuration(as: .reader)
        configuration.settings = ["TimeZone": "Asia/Kathmandu", "DateStyle": "ISO"]
        connection = try Connection(configuration)
        // A reader's own time zone must not matter to anything but the text of the times.
        try connection.execute("SELECT set_config('TimeZone', 'UTC', false)")
    }

    /// The superuser's connection.
    func owner() throws -> Connection { try database.connection() }

    /// The rows of a statistic, as text.
    func rows(_ statistic: Statistic, _ range: Range<Int64>) throws -> [[String?]] {
        var rows: [[String?]] = []
        try Analytics(connection).run(
            statistic,
            of: AnalyticsRange(
                market: "M", from: .time(Timestamp(range.lowerBound)), to: Timestamp(range.upperBound)),
            columns: { _ in }, forEach: { rows.append($0) })
        return rows
    }

    /// Trades that count in a range.
    func counted(_ range: Range<Int64>) -> [RandomTrade] { trades.counted.filter { range.contains($0.time) } }

    /// Ranges that cut minutes, days and ties, empty ones, some of an instant, one of ten trades, and the whole.
    func ranges() -> [Range<Int64>] {
        var generator = SeededGenerator(seed: seed &+ 1)
        let (first, last) = (trades.all[0].time, trades.all[trades.all.count - 1].time)
        var ranges = [first..<last + 1, first - 86_400_000_000..<first, last + 1..<last + 7_200_000_000]
        // Where a share of the trades is a whole number.
        let counted = trades.counted
        let tens = stride(from: 10, to: counted.count, by: 10).first { counted[$0].time > counted[$0 - 1].time }
        if let tens { ranges.append(first..<counted[tens].time) }
        for _ in 0..<4 {
            let edges = (0..<2).map { _ in generator.pick(trades.all).time + Int64(generator.below(3)) - 1 }.sorted()
            ranges.append(edges[0]..<max(edges[1], edges[0] + 1))
            let instant = generator.pick(trades.all).time
            ranges.append(instant..<instant + 1)
        }
        return ranges
    }
}

/// Where a bucket begins, in UTC.
func bucketStart(_ time: Int64, _ interval: String?, from start: Int64) -> Int64 {
    guard let interval, let interval = CandleInterval(rawValue: interval) else { return start }
    guard let seconds = interval.seconds else {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: "UTC")!
        let date = Date(timeIntervalSince1970: Double(time / 1_000_000))
        let month = calendar.date(from: calendar.dateComponents([.year, .month], from: date))!
        return Int64(month.timeIntervalSince1970) * 1_000_000
    }
    // A Monday.
    let origin: Int64 = 946_857_600_000_000
    return time - (time - origin) % (seconds * 1_000_000)
}

// What SQL writes, from whole numbers.

/// As `timestamptz` is written in UTC.
func timeText(_ time: Int64) -> String {
    var text = PostgresTimestamp(microsecondsSinceUnixEpoch: time).description.replacing("T", with: " ")
    text.removeLast()
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text + "+00"
}

/// unscaled × 10^-scale without zeros at the end.
func decimalText(_ unscaled: Int128, _ scale: Int) -> String {
    var (unscaled, scale) = (unscaled, scale)
    while scale > 0, unscaled % 10 == 0 { (unscaled, scale) = (unscaled / 10, scale - 1) }
    return PostgresNumeric(unscaled: unscaled, scale: scale).description
}

/// A price in ticks of 0.5.
func priceText(_ ticks: some BinaryInteger) -> String { decimalText(Int128(ticks) * 5, 1) }
/// An amount in lots of 0.001.
func amountText(_ lots: some BinaryInteger) -> String { decimalText(Int128(lots), 3) }
/// A notional in ticks × lots.
func notionalText(_ notional: Int128) -> String { decimalText(notional * 5, 4) }

/// Rounded half away from zero; nil where the divisor is zero.
func quotientText(_ dividend: Int128, _ divisor: Int128, _ digits: Int) -> String? {
    guard divisor != 0 else { return nil }
    let power = (0..<digits).reduce(Int128(1)) { power, _ in power * 10 }
    let (a, b) = (dividend.magnitude, divisor.magnitude)
    let magnitude = Int128((2 * a * power.magnitude + b) / (2 * b))
    return decimalText((dividend < 0) != (divisor < 0) ? -magnitude : magnitude, digits)
}
