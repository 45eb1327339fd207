import Glibc
import OrderBook

// How people write times and spans.

/// Reads `100ms`, `3s`, `2m`, `1h`, `7d` or `0`. What is longer than times go is the least span that is too long; nil where
/// it is no span.
func spanMicroseconds(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty else { return nil }
    let number = Int64(digits) ?? .max
    let unit: Int64
    switch text.dropFirst(digits.count) {
    case "us": unit = 1
    case "ms": unit = 1000
    case "s": unit = 1_000_000
    case "m": unit = 60_000_000
    case "h": unit = 3_600_000_000
    case "d": unit = 86_400_000_000
    case "" where number == 0: unit = 1
    default: return nil
    }
    let (microseconds, overflow) = number.multipliedReportingOverflow(by: unit)
    return overflow || microseconds > Bounds.spanMax ? Bounds.spanMax + 1 : microseconds
}

/// Reads `2026-11-21T10:00:00.123456Z`: seconds, fraction and zone may be left out; without a zone it is UTC. Of the years
/// 1 to 9999.
func timestamp(_ text: String) -> Timestamp? {
    let pattern =
        /(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?([Zz]|[+-]\d\d:?\d\d)?/
    // `\d` alone takes the digits of all scripts.
    guard text.utf8.allSatisfy({ $0 < 0x80 }), text.utf8.count <= 40,
        let match = text.wholeMatch(of: pattern)?.output
    else { return nil }
    var parts = tm()
    parts.tm_year = (Int32(match.1) ?? 0) - 1900
    parts.tm_mon = (Int32(match.2) ?? 0) - 1
    parts.tm_mday = Int32(match.3) ?? 0
    parts.tm_hour = match.4.flatMap { Int32($0) } ?? 0
    parts.tm_min = match.5.flatMap { Int32($0) } ?? 0
    parts.tm_sec = match.6.flatMap { Int32($0) } ?? 0
    let (month, day, hour, minute, second) = (parts.tm_mon, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec)
    guard (0...11).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60 else { return nil }
    let seconds = Int64(timegm(&parts))
    // 30 February has become 2 March.
    guard parts.tm_mday == day else { return nil }
    let fraction = match.7.map { Int64(String($0).padding(to: 6)) ?? 0 } ?? 0
    // Four digits of a year and an offset of four: nothing that could overflow.
    let time = Timestamp((seconds - offsetSeconds(match.8)) * 1_000_000 + fraction)
    return time.isWithinBounds ? time : nil
}

private func offsetSeconds(_ zone: Substring?) -> Int64 {
    guard let zone, zone.count > 1 else { return 0 }
    let digits = zone.filter(\.isNumber)
    let seconds = (Int64(digits.prefix(2)) ?? 0) * 3600 + (Int64(digits.suffix(2)) ?? 0) * 60
    return zone.hasPrefix("-") ? -seconds : seconds
}

extension String {
    /// Zeros on the right, up to a width.
    fileprivate func padding(to width: Int) -> String {
        self + String(repeating: "0", count: Swift.max(0, width - count))
    }
}
