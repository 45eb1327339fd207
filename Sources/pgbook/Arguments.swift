import ArgumentParser
import Glibc
import OrderBook
import Postgres
import Store

struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The database: a URL or keyword=value string. Otherwise DATABASE_URL, then libpq's PG* variables.",
            valueName: "url"))
    var database: String?

    func configuration(applicationName: String = "pgbook") -> ConnectionConfiguration {
        let variable = getenv("DATABASE_URL").map { String(cString: $0) }
        let url = database ?? (variable?.isEmpty == false ? variable : nil)
        return ConnectionConfiguration(url, applicationName: applicationName)
    }

    /// Connects to a database whose schema is this binary's.
    /// - Parameter exceptions: settings of the session that are not those of its purpose.
    func connect(for purpose: SessionPurpose, except exceptions: [String: String] = [:]) throws -> Connection {
        let connection = try Connection(configuration().settled(for: purpose, except: exceptions))
        try Migrator(connection).requireCurrent()
        return connection
    }
}

struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON, with the names of the views' columns.")
    var json = false
}

struct UserOption: ParsableArguments {
    @Option(help: "Whom to act for (default: the database role). Acting for others takes the node's role.")
    var user: String?

    var id: UserID? { user.map { UserID($0) } }
}

struct WaitOptions: ParsableArguments {
    @Flag(name: .customLong("no-wait"), help: "Do not wait for the outcome.")
    var noWait = false

    @Option(help: "How long to wait for the outcome, such as 500ms, 10s or 2m.")
    var timeout: TimeSpan = TimeSpan(.seconds(30))
}

/// `100ms`, `3s`, `2m`, `1h`; a number alone is refused, since it could mean any of them (0 is 0).
struct TimeSpan: ExpressibleByArgument, CustomStringConvertible {
    var duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), number <= 1_000_000_000 else { return nil }
        switch argument.dropFirst(digits.count) {
        case "us": duration = .microseconds(number)
        case "ms": duration = .milliseconds(number)
        case "s": duration = .seconds(number)
        case "m": duration = .seconds(number * 60)
        case "h": duration = .seconds(number * 3600)
        case "d": duration = .seconds(number * 86_400)
        case "" where number == 0: duration = .zero
        default: return nil
        }
    }

    var description: String {
        let microseconds = self.microseconds
        if microseconds % 1000 != 0 { return "\(microseconds)us" }
        return microseconds % 1_000_000 == 0 ? "\(microseconds / 1_000_000)s" : "\(microseconds / 1000)ms"
    }

    var defaultValueDescription: String { description }

    var microseconds: Int64 { duration.microseconds }
}

// What stands in an order, as text. Each throws the refusal that a person can act on.

func side(_ word: String) throws(Failure) -> Side {
    switch word.lowercased() {
    case "buy", "bid": return .bid
    case "sell", "ask": return .ask
    default: throw badValue("side '\(word)' is unknown; use buy or sell (or bid, ask)", "side")
    }
}

func decimal(_ text: String, _ field: String) throws(Failure) -> PostgresNumeric {
    guard let number = PostgresNumeric(text) else {
        throw badValue(
            "\(field) '\(text.prefix(50))' is not a decimal number such as 0.25, of at most 38 digits", field)
    }
    return number
}

func orderID(_ text: String) throws(Failure) -> OrderID {
    guard let id = OrderID(text) else {
        throw badValue(
            "'\(text.prefix(50))' is not an order id; ids look like 0197c1d8-5a00-7000-8000-000000000000", "id")
    }
    return id
}

func prevention(_ word: String) throws(Failure) -> SelfTradePrevention {
    guard let prevention = SelfTradePrevention(word: word.lowercased()) else {
        throw badValue("self-trade prevention '\(word)' is unknown; use dc, co, cn or cb", "self_trade_prevention")
    }
    return prevention
}

/// - Parameter expires: belongs to gtd, and makes it the default.
func timeInForce(_ word: String?, expires: String?) throws(Failure) -> TimeInForce {
    switch word?.lowercased() ?? (expires == nil ? "gtc" : "gtd") {
    case "gtd":
        guard let expires else { throw badValue("gtd needs an expiry time: add --expires 10m, or a time", "expires") }
        return .gtd(expires: try expiry(expires))
    case _ where expires != nil: throw badValue("an expiry time goes with gtd only", "expires")
    case "gtc": return .gtc
    case "ioc": return .ioc
    case "fok": return .fok
    default: throw badValue("time in force '\(word ?? "")' is unknown; use gtc, ioc, fok or gtd", "time_in_force")
    }
}

/// A time, or a span from now.
private func expiry(_ text: String) throws(Failure) -> Timestamp {
    if let span = TimeSpan(argument: text) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Timestamp(Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000 + span.microseconds)
    }
    guard let time = timestamp(text) else {
        throw badValue(
            "expiry '\(text.prefix(50))' is neither a span such as 10m nor a time such as 2026-11-21T10:00:00Z",
            "expires")
    }
    return time
}

private func badValue(_ message: String, _ field: String) -> Failure {
    Failure(.refused, message, code: OutcomeCode.badValue.name, field: field)
}

/// Reads `2026-11-21T10:00:00.123456Z`: seconds, fraction and zone may be left out; without a zone it is UTC.
func timestamp(_ text: String) -> Timestamp? {
    let pattern =
        /(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?([Zz]|[+-]\d\d:?\d\d)?/
    guard let match = text.wholeMatch(of: pattern)?.output else { return nil }
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
    return Timestamp((seconds - offsetSeconds(match.8)) * 1_000_000 + fraction)
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
