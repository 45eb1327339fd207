#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// An instant in whole microseconds, as `timestamptz` stores it.
public struct PostgresTimestamp: Hashable, Sendable, Comparable {
    /// Microseconds since 1970-01-01 00:00 UTC. The two extremes stand for the infinities.
    public var microsecondsSinceUnixEpoch: Int64

    public init(microsecondsSinceUnixEpoch: Int64) {
        self.microsecondsSinceUnixEpoch = microsecondsSinceUnixEpoch
    }

    public static let infinity = PostgresTimestamp(microsecondsSinceUnixEpoch: .max)
    public static let negativeInfinity = PostgresTimestamp(microsecondsSinceUnixEpoch: .min)

    public var isFinite: Bool { self != .infinity && self != .negativeInfinity }

    public static func < (left: PostgresTimestamp, right: PostgresTimestamp) -> Bool {
        left.microsecondsSinceUnixEpoch < right.microsecondsSinceUnixEpoch
    }

    /// 2000-01-01, where PostgreSQL begins to count.
    private static let postgresEpoch: Int64 = 946_684_800_000_000

    /// Microseconds since 2000-01-01. What lies below its range becomes -infinity.
    private var wire: Int64 {
        guard isFinite else { return microsecondsSinceUnixEpoch }
        let (value, overflow) = microsecondsSinceUnixEpoch.subtractingReportingOverflow(Self.postgresEpoch)
        return overflow ? .min : value
    }
}

extension PostgresTimestamp: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    public static var postgresType: PostgresType { .timestamptz }
    public static var postgresArrayType: PostgresType { .timestamptzArray }
    public func encode(into writer: inout PostgresWriter) { writer.write(wire) }
    public static func encodeArray(_ elements: [PostgresTimestamp], into writer: inout PostgresWriter) {
        writer.writeArray(elements, type: .timestamptz) { $0.wire }
    }

    public init(decoding cell: borrowing PostgresCell) throws(PostgresError) {
        guard cell.type == .timestamptz, !cell.isNull else { throw cell.mismatch(PostgresTimestamp.self) }
        let wire = try cell.integer(Int64.self)
        guard wire != .max, wire != .min else {
            self.init(microsecondsSinceUnixEpoch: wire)
            return
        }
        let (value, overflow) = wire.addingReportingOverflow(Self.postgresEpoch)
        guard !overflow else { throw cell.malformed(PostgresTimestamp.self) }
        self.init(microsecondsSinceUnixEpoch: value)
    }
}

extension PostgresTimestamp: CustomStringConvertible {
    /// ISO 8601 in UTC with six decimals: `2015-05-01T00:00:00.000000Z`.
    public var description: String {
        guard isFinite else { return self == .infinity ? "infinity" : "-infinity" }
        let (days, microseconds) = divide(microsecondsSinceUnixEpoch, by: 86_400_000_000)
        let (year, month, day) = civil(daysSinceUnixEpoch: days)
        let seconds = microseconds / 1_000_000
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        let time = "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
        return "\(date)T\(time).\(padded(microseconds % 1_000_000, 6))Z"
    }
}

/// Quotient towards minus infinity, and a remainder that is never negative.
private func divide(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}

/// The Gregorian date of a day, counted in eras of 400 years that begin on 1 March.
private func civil(daysSinceUnixEpoch days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = divide(days + 719_468, by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
}

private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value.magnitude)
    return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
}

extension PostgresTimestamp {
    /// By this machine's clock.
    public static func now() -> PostgresTimestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return PostgresTimestamp(
            microsecondsSinceUnixEpoch: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
