import OrderBook
import Postgres

/// A value in the text of a COPY, which takes no parameters. None of these kinds can hold a quote.
enum CopyLiteral {
    case number(Int64)
    case time(Timestamp)

    fileprivate var text: String {
        switch self {
        case .number(let value): "\(value)"
        case .time(let value): "'\(value.postgres)'::timestamptz"
        }
    }
}

extension String {
    /// This statement with literals for `$1`, `$2` …
    func inlining(_ literals: CopyLiteral...) -> String {
        var text = self
        // From the last, since $1 begins $10.
        for (index, literal) in literals.enumerated().reversed() { text.replace("$\(index + 1)", with: literal.text) }
        return text
    }
}
