public import OrderBook

/// Why an export or import cannot be done, in one line for a person.
public struct HistoryError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// What was asked for does not go together.
        case usage
        /// The data do not allow it.
        case refused
        /// A file cannot be read or written.
        case file
        /// Whoever read standard output wants no more.
        case readerLeft
    }

    public var kind: Kind
    public var message: String
    public var code: OutcomeCode?

    public init(_ kind: Kind, _ message: String, code: OutcomeCode? = nil) {
        self.kind = kind
        self.message = message
        self.code = code
    }

    public var description: String { message }
}
