/// The length of a candle's bucket: a second, a divisor of an hour or of a day, a week that begins on Monday, or a
/// month. Nothing else divides time into buckets that begin at the same places whatever the range asked for.
public enum CandleInterval: String, CaseIterable, Sendable {
    case second = "1s"
    case minute = "1m"
    case minutes2 = "2m"
    case minutes3 = "3m"
    case minutes4 = "4m"
    case minutes5 = "5m"
    case minutes6 = "6m"
    case minutes10 = "10m"
    case minutes12 = "12m"
    case minutes15 = "15m"
    case minutes20 = "20m"
    case minutes30 = "30m"
    case hour = "1h"
    case hours2 = "2h"
    case hours3 = "3h"
    case hours4 = "4h"
    case hours6 = "6h"
    case hours8 = "8h"
    case hours12 = "12h"
    case day = "1d"
    case week = "1w"
    case month = "1M"

    /// What a person may write, shortest first.
    public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// Length in seconds; nil for a month.
    public var seconds: Int64? {
        switch self {
        case .second: 1
        case .week: 7 * 86_400
        case .month: nil
        default: Int64(rawValue.dropLast()).map { $0 * Self.unit(rawValue.last) }
        }
    }

    /// Whether its buckets may begin at midnight of a time zone instead of UTC's.
    public var followsTimeZone: Bool { self == .day || self == .week || self == .month }

    private static func unit(_ letter: Character?) -> Int64 {
        switch letter {
        case "m": 60
        case "h": 3600
        default: 86_400
        }
    }
}
