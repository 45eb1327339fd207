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

    func validate() throws { try timeout.require("--timeout", .zero ... .seconds(30 * 86_400)) }
}

/// `100ms`, `3s`, `2m`, `1h`; a number alone is refused, since it could mean any of them (0 is 0).
///
/// What is longer than times go is the least span that is too long: whoever takes it says what the longest is.
struct TimeSpan: ExpressibleByArgument, CustomStringConvertible {
    var duration: Duration
    /// What was written, where it is no span or too long.
    private var written: String?
    private(set) var isReadable = true

    init(_ duration: Duration) { self.duration = duration }

    /// What cannot be read is longer than all bounds, so that `require` refuses it by the name of its option.
    init(argument: String) {
        let microseconds = spanMicroseconds(argument)
        isReadable = microseconds != nil
        duration = .microseconds(microseconds ?? Bounds.spanMax + 1)
        if duration > .microseconds(Bounds.spanMax) {
            written = argument.count > 40 ? argument.prefix(37) + "..." : argument
        }
    }

    /// - Throws: an error that names the option, its value and the bounds, where it is outside of them.
    func require(_ option: String, _ range: ClosedRange<Duration>) throws {
        guard isReadable else {
            throw ValidationError("\(option) '\(self)' is no span of time such as 500ms, 10s, 2m, 1h or 7d")
        }
        guard !range.contains(duration) else { return }
        throw ValidationError(
            "\(option) \(self) is not within \(TimeSpan(range.lowerBound)) to \(TimeSpan(range.upperBound))")
    }

    var description: String {
        if let written { return written }
        let microseconds = self.microseconds
        if microseconds > 0, microseconds % 86_400_000_000 == 0 { return "\(microseconds / 86_400_000_000)d" }
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
    let span = TimeSpan(argument: text)
    if span.isReadable {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let time = Timestamp(Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000) + span.microseconds
        guard time.isWithinBounds else {
            throw badValue("expiry '\(text.prefix(50))' is beyond the year 9999, where times end", "expires")
        }
        return time
    }
    guard let time = timestamp(text) else {
        throw badValue(
            "expiry '\(text.prefix(50))' is neither a span such as 10m nor a time such as 2026-11-21T10:00:00Z, of the years 1 to 9999",
            "expires")
    }
    return time
}

private func badValue(_ message: String, _ field: String) -> Failure {
    Failure(.refused, message, code: OutcomeCode.badValue.name, field: field)
}
