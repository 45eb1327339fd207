import Glibc
public import OrderBook
import Store

/// A time's parts, UTC.
struct UTCParts {
    var year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int

    init(_ time: Timestamp) {
        var seconds = time_t(time.floored(to: 1_000_000).rawValue / 1_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        (year, month, day) = (Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday))
        (hour, minute, second) = (Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec))
    }

    /// `2026-01-05`
    var date: String {
        let digits = String(year)
        return "\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)-\(two(month))-\(two(day))"
    }
    /// `01-05`
    var monthDay: String { "\(two(month))-\(two(day))" }
    /// `07:30`
    var clock: String { "\(two(hour)):\(two(minute))" }
    /// `07:30:15`
    var clockSeconds: String { "\(clock):\(two(second))" }
}

private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

extension Timestamp {
    /// `2026-01-05T07:30:00Z`, to the second.
    public var utc: String {
        let parts = UTCParts(self)
        return "\(parts.date)T\(parts.clockSeconds)Z"
    }
}
