public import OrderBook

/// What was wrong with a message: a stable code for programs, one line for people.
public struct WireError: Error, Hashable, Sendable {
    public var code: ErrorCode
    public var message: String
    /// The field at fault.
    public var field: String?
    /// When to come back, where that is known.
    public var retrySeconds: Int?

    public init(_ code: ErrorCode, _ message: String, field: String? = nil, retrySeconds: Int? = nil) {
        self.code = code
        self.message = message
        self.field = field
        self.retrySeconds = retrySeconds
    }
}

/// The stable name of an error on the wire. Every `OutcomeCode` is one; the others are about the message itself.
public struct ErrorCode: RawRepresentable, Hashable, Sendable {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(_ outcome: OutcomeCode) { rawValue = outcome.name }

    /// Not one JSON object, or a key stands twice.
    public static let badJSON = Self(rawValue: "bad_json")
    public static let badUTF8 = Self(rawValue: "bad_utf8")
    /// More bytes, members or nesting than a message may have.
    public static let tooBig = Self(rawValue: "too_big")
    public static let unknownType = Self(rawValue: "unknown_type")
    public static let unknownField = Self(rawValue: "unknown_field")
    public static let missingField = Self(rawValue: "missing_field")
    /// A value of the wrong kind, or not one of those allowed.
    public static let badValue = Self(rawValue: "bad_value")
    /// An order id that is not a UUID.
    public static let badID = Self(rawValue: "bad_id")
    /// Too much is under way; try again later.
    public static let busy = Self(rawValue: "busy")
    public static let unauthorized = Self(rawValue: "unauthorized")
    /// Who asks from there may not, whatever the token.
    public static let notAllowed = Self(rawValue: "not_allowed")
    public static let notFound = Self(rawValue: "not_found")
    /// The database cannot be reached; whether the command was stored is not known.
    public static let unavailable = Self(rawValue: "unavailable")
}
