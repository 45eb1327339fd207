public import OrderBook

/// One line of a command stream (`*.commands.csv`).
public enum StreamItem: Hashable, Sendable {
    /// `place,<id>,<B|S>,<limit|market|ioc|fok>,<price>,<amount>`
    case place(id: Int64, side: Side, kind: Kind, price: Int64, amount: Int64)
    /// `cancel,<id>`
    case cancel(id: Int64)
    /// `reduce,<id>,<by>`
    case reduce(id: Int64, by: Int64)
    /// `replace,<id>,<newid>,<price>,<amount>`
    case replace(id: Int64, newID: Int64, price: Int64, amount: Int64)
    /// `snap,<label>,<depth>`
    case snapshot(label: String, depth: Int)

    public enum Kind: String, Hashable, Sendable {
        case limit, market, ioc, fok
    }
}

/// Reads a command stream line by line. Comment lines begin with `#`; empty lines count for nothing.
public struct StreamReader: Sendable {
    /// A snapshot writes four fields per level asked for, whether there is one or not.
    public static let snapshotDepthMax: Int64 = 10_000

    private var lines: LineReader

    public init(_ bytes: [UInt8]) { lines = LineReader(bytes) }

    /// How many bytes are read, for a progress bar.
    public var bytesRead: Int { lines.bytesRead }

    /// The next item; nil at the end.
    public mutating func next() throws(ReplayError) -> StreamItem? {
        while let line = lines.next() {
            guard let first = line.first, first != UInt8(ascii: "#") else { continue }
            var fields = FieldReader(line)
            let verb = fields.text() ?? ""
            guard let form = Self.forms[verb] else {
                throw problem(line, "expected place, cancel, reduce, replace or snap")
            }
            guard let item = Self.item(verb, &fields), fields.isFinished else {
                throw problem(line, "expected \(form)")
            }
            return item
        }
        return nil
    }

    private func problem(_ line: ArraySlice<UInt8>, _ problem: String) -> ReplayError {
        ReplayError(line: lines.lineNumber, bytes: line, problem: problem)
    }

    private static let forms = [
        "place": "place,<id>,<B|S>,<limit|market|ioc|fok>,<price>,<amount> with whole numbers",
        "cancel": "cancel,<id> with a whole number",
        "reduce": "reduce,<id>,<by> with whole numbers",
        "replace": "replace,<id>,<newid>,<price>,<amount> with whole numbers",
        "snap": "snap,<label>,<depth> with a depth from 0 to \(snapshotDepthMax)",
    ]

    private static func item(_ verb: String, _ fields: inout FieldReader) -> StreamItem? {
        switch verb {
        case "place":
            guard let id = fields.integer(), let side = side(fields.text()),
                let kind = fields.text().flatMap(StreamItem.Kind.init), let price = fields.integer(),
                let amount = fields.integer()
            else { return nil }
            return .place(id: id, side: side, kind: kind, price: price, amount: amount)
        case "cancel":
            return fields.integer().map { .cancel(id: $0) }
        case "reduce":
            guard let id = fields.integer(), let by = fields.integer() else { return nil }
            return .reduce(id: id, by: by)
        case "replace":
            guard let id = fields.integer(), let newID = fields.integer(), let price = fields.integer(),
                let amount = fields.integer()
            else { return nil }
            return .replace(id: id, newID: newID, price: price, amount: amount)
        default:
            guard let label = fields.text(), let depth = fields.integer(), 0...snapshotDepthMax ~= depth else {
                return nil
            }
            return .snapshot(label: label, depth: Int(depth))
        }
    }

    private static func side(_ text: String?) -> Side? {
        switch text {
        case "B": .bid
        case "S": .ask
        default: nil
        }
    }
}
