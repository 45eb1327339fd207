import Glibc

/// How exports write a time. All are UTC.
public enum TimeStyle: Hashable, Sendable {
    /// `2026-01-01T00:00:00Z`; with six decimals for trades.
    case iso
    /// Whole units since the Unix epoch, rounded down.
    case seconds, milliseconds, microseconds, nanoseconds
    /// Milliseconds since midnight.
    case millisecondsOfDay
    /// As strftime has it.
    case pattern(String)

    /// What `--time` takes: iso, s, ms, us, ns, or a pattern with a `%`.
    public init?(_ text: String) {
        switch text {
        case "iso": self = .iso
        case "s": self = .seconds
        case "ms": self = .milliseconds
        case "us": self = .microseconds
        case "ns": self = .nanoseconds
        case _ where text.contains("%") && text.utf8.count <= ExportLimits.timePatternBytesMax: self = .pattern(text)
        default: return nil
        }
    }

    /// Whether it is a number, which JSON does not put between quotes.
    var isNumber: Bool {
        switch self {
        case .iso, .pattern: false
        default: true
        }
    }
}

/// Writes times, many of which fall on one day.
struct TimeWriter {
    let style: TimeStyle
    /// ISO times end in six decimals.
    let hasMicroseconds: Bool
    /// Asked for each row, without a look at a pattern.
    private let isISO: Bool
    private var day = Int64.min
    private var dateHead: UInt64 = 0
    private var dateTail: UInt16 = 0

    static let dayMicroseconds: Int64 = 86_400_000_000

    init(_ style: TimeStyle, hasMicroseconds: Bool) {
        self.style = style
        isISO = style == .iso
        self.hasMicroseconds = hasMicroseconds
    }

    /// - Parameter time: microseconds since the Unix epoch.
    @inline(__always)
    mutating func put(_ time: Int64, _ out: inout MutableRawSpan, _ at: inout Int) {
        if isISO { return putISO(time, &out, &at) }
        switch style {
        case .iso: break
        case .seconds: putNumber(floor(time, by: 1_000_000), &out, &at)
        case .milliseconds: putNumber(floor(time, by: 1000), &out, &at)
        case .microseconds: putNumber(time, &out, &at)
        case .nanoseconds:
            putNumber(time, &out, &at)
            for _ in 0..<(time == 0 ? 0 : 3) { History.put(UInt8(ascii: "0"), &out, &at) }
        case .millisecondsOfDay:
            putNumber((time - floor(time, by: Self.dayMicroseconds) * Self.dayMicroseconds) / 1000, &out, &at)
        case .pattern(let pattern): History.put(Array(formatted(time, pattern).utf8), &out, &at)
        }
    }

    @inline(__always)
    private mutating func putISO(_ time: Int64, _ out: inout MutableRawSpan, _ at: inout Int) {
        let day = floor(time, by: Self.dayMicroseconds)
        if day != self.day { learn(day) }
        let micros = UInt64(truncatingIfNeeded: time &- day &* Self.dayMicroseconds)
        out.storeBytes(of: dateHead, toByteOffset: at, as: UInt64.self)
        out.storeBytes(of: dateTail, toByteOffset: at &+ 8, as: UInt16.self)
        at &+= 10
        let seconds = micros / 1_000_000
        History.put(UInt8(ascii: "T"), &out, &at)
        putPadded(seconds / 3600, width: 2, &out, &at)
        History.put(UInt8(ascii: ":"), &out, &at)
        putPadded(seconds / 60 % 60, width: 2, &out, &at)
        History.put(UInt8(ascii: ":"), &out, &at)
        putPadded(seconds % 60, width: 2, &out, &at)
        if hasMicroseconds {
            History.put(UInt8(ascii: "."), &out, &at)
            putPadded(micros % 1_000_000, width: 6, &out, &at)
        }
        History.put(UInt8(ascii: "Z"), &out, &at)
    }

    private mutating func learn(_ day: Int64) {
        self.day = day
        let date = Array(formatted(day * Self.dayMicroseconds, "%Y-%m-%d").utf8)
        let span = date.span.bytes
        dateHead = span.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self)
        dateTail = span.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt16.self)
    }
}

@inline(__always)
func floor(_ value: Int64, by unit: Int64) -> Int64 {
    value >= 0 ? value / unit : (value &- unit &+ 1) / unit
}

/// A UTC time by strftime; at most `ExportLimits.timeBytesMax` bytes.
func formatted(_ microseconds: Int64, _ pattern: String) -> String {
    var seconds = time_t(floor(microseconds, by: 1_000_000))
    var parts = tm()
    gmtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: ExportLimits.timeBytesMax)
    // Years have four digits: before the year 1000 that has to be asked for.
    let isPadded = parts.tm_year < 1000 - 1900
    let count = strftime(&text, text.count, isPadded ? withPaddedYears(pattern) : pattern, &parts)
    return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

private func withPaddedYears(_ pattern: String) -> String {
    var padded = ""
    var isAfterPercent = false
    for character in pattern {
        switch character {
        case "Y" where isAfterPercent: padded += "04Y"
        case "F" where isAfterPercent: padded += "04Y-%m-%d"
        default: padded.append(character)
        }
        isAfterPercent = character == "%" && !isAfterPercent
    }
    return padded
}
