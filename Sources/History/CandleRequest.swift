import Glibc
public import OrderBook

/// What somebody asks of `/candles`, within the bounds of a server.
public struct CandleRequest: Hashable, Sendable {
    /// What is wrong with a request: one line, and the parameter at fault.
    public struct Fault: Error, Hashable, Sendable {
        public var message: String
        public var field: String
    }

    /// Candles of one answer, and how many where nobody says.
    public static let countMax = 1_000
    public static let countDefault = 500

    public var interval: CandleInterval
    /// Nil: the latest candles.
    public var range: Range<Timestamp>?
    public var fill: String
    public var count: Int

    /// - Parameters:
    ///   - from: as ISO 8601 or Unix milliseconds, and so is `to`; with one of them alone the range is as long as
    ///     `limit` candles.
    public init(interval: String?, from: String?, to: String?, fill: String?, limit: String?) throws(Fault) {
        let word = interval ?? "1m"
        guard let interval = CandleInterval(rawValue: word) else {
            throw Fault(
                message: "interval \"\(word.prefix(20))\" is unknown; use \(CandleInterval.names)", field: "interval")
        }
        self.interval = interval
        self.fill = fill ?? "none"
        guard ["none", "zero", "previous"].contains(self.fill) else {
            throw Fault(
                message: "fill \"\(self.fill.prefix(20))\" is unknown; use none, zero or previous", field: "fill")
        }
        count = Self.countDefault
        if let limit {
            guard let number = Int(limit), (1...Self.countMax).contains(number) else {
                throw Fault(
                    message: "limit \"\(limit.prefix(20))\" is not a number from 1 to \(Self.countMax)", field: "limit")
            }
            count = number
        }
        range = try Self.range(from, to, interval, count: count, limit: limit)
        if range != nil, limit == nil { count = Self.countMax }
    }

    private static func range(
        _ from: String?, _ to: String?, _ interval: CandleInterval, count: Int, limit: String?
    ) throws(Fault) -> Range<Timestamp>? {
        // A month is at least 28 days: so many of them are never too many.
        let width = (interval.seconds ?? 28 * 86_400) * 1_000_000
        let span = width * Int64(limit == nil && from != nil && to != nil ? countMax : count)
        let begin = try from.map { text throws(Fault) in try time(text, "from") }
        let end = try to.map { text throws(Fault) in try time(text, "to") }
        switch (begin, end) {
        case (nil, nil): return nil
        case (let begin?, nil): return begin..<(begin + span)
        case (nil, let end?): return (end - span)..<end
        case (let begin?, let end?):
            guard begin <= end else { throw Fault(message: "from is later than to", field: "from") }
            guard end.microseconds(since: begin) <= width * Int64(countMax) else {
                throw Fault(
                    message:
                        "the range holds more than \(countMax) candles of \(interval.rawValue); ask for less at once",
                    field: "to")
            }
            return begin..<end
        }
    }

    private static func time(_ text: String, _ field: String) throws(Fault) -> Timestamp {
        let fromMilliseconds = Int64(text).map { milliseconds in
            let (microseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1000)
            return Timestamp(overflow ? (milliseconds < 0 ? .min : .max) : microseconds)
        }
        guard let time = fromMilliseconds ?? Timestamp(iso: text) else {
            throw Fault(
                message:
                    "\(field) \"\(text.prefix(40))\" is neither Unix milliseconds nor a time such as 2026-01-01T00:00:00Z",
                field: field)
        }
        guard time.isWithinBounds else {
            throw Fault(message: "\(field) \"\(text.prefix(40))\" is outside the years 1 to 9999", field: field)
        }
        return time
    }
}

extension Timestamp {
    /// Reads `2026-01-01`, `2026-01-01T09:30Z` or `2026-01-01T09:30:00Z`, UTC.
    init?(iso text: String) {
        let pattern = /(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.0{1,6})?)?Z)?/
        // `\d` alone takes the digits of all scripts.
        guard text.utf8.allSatisfy({ $0 < 0x80 }), let match = text.wholeMatch(of: pattern)?.output else { return nil }
        var parts = tm()
        parts.tm_year = (Int32(match.1) ?? 0) - 1900
        parts.tm_mon = (Int32(match.2) ?? 0) - 1
        parts.tm_mday = Int32(match.3) ?? 0
        parts.tm_hour = match.4.flatMap { Int32($0) } ?? 0
        parts.tm_min = match.5.flatMap { Int32($0) } ?? 0
        parts.tm_sec = match.6.flatMap { Int32($0) } ?? 0
        let wanted = (parts.tm_mon, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec)
        let seconds = timegm(&parts)
        // 30 February has become 2 March.
        guard wanted == (parts.tm_mon, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec) else { return nil }
        self.init(Int64(seconds) * 1_000_000)
    }
}
