import ArgumentParser
import Glibc
import Postgres

/// How rows are shown.
enum ResultFormat: String, ExpressibleByArgument, CaseIterable {
    case table, csv, json
}

struct FormatOption: ParsableArguments {
    @Option(help: "table for people (its first \(limitMax) rows), csv or json for programs; all hold the same values.")
    var format: ResultFormat = .table
}

/// Writes the rows of any statement to standard output. As csv and json they are written as they come; a table waits for
/// its last row and so holds `limitMax` rows at most.
struct ResultWriter: ~Copyable {
    /// Thrown by `add` where nobody reads any further.
    struct OutputEnded: Error {}
    /// Thrown by `add` where a table is full.
    struct TableFull: Error {}

    private let format: ResultFormat
    private var columns: [TextColumn] = []
    private var table = Table()
    private var rowCount = 0
    private var buffer: [UInt8] = []

    private static let bufferBytes = 64 << 10

    init(_ format: ResultFormat) { self.format = format }

    mutating func begin(_ columns: [TextColumn]) {
        self.columns = columns
        switch format {
        case .table: table = Table(columns.map { ($0.name, $0.alignment) })
        case .csv: append(columns.map { csvField($0.name) }.joined(separator: ",") + "\n")
        case .json: append("[")
        }
    }

    mutating func add(_ row: [String?]) throws {
        if format == .table, rowCount == limitMax { throw TableFull() }
        let values = zip(row, columns).map { $0.map($1.shown) }
        switch format {
        case .table: table.add(values)
        case .csv: append(values.map { $0.map(csvField) ?? "" }.joined(separator: ",") + "\n")
        case .json:
            let members = zip(values, columns).map { ($1.name, $0.map($1.json) ?? .null) }
            append((rowCount == 0 ? "\n" : ",\n") + JSON.object(members).description)
        }
        rowCount += 1
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    /// Writes what is left.
    /// - Parameter emptyLine: what a table without rows says instead.
    mutating func finish(emptyLine: String, isCut: Bool = false) throws {
        switch format {
        case .table where columns.isEmpty: break
        case .table where table.isEmpty: append(emptyLine + "\n")
        case .table: append(table.lines(on: .standard).joined(separator: "\n") + "\n")
        case .csv: break
        case .json: append(rowCount == 0 ? "]\n" : "\n]\n")
        }
        try flush()
        if isCut { complain("only the first \(limitMax) rows are shown; --format csv writes all") }
    }

    private mutating func append(_ text: String) { buffer.append(contentsOf: text.utf8) }

    private mutating func flush() throws {
        var start = 0
        while start < buffer.count {
            let written = buffer[start...].withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                if errno == EPIPE { throw OutputEnded() }
                throw Failure(.unexpected, "standard output: \(String(cString: strerror(errno)))")
            }
            start += written
        }
        buffer.removeAll(keepingCapacity: true)
    }
}

extension Connection {
    /// Writes the rows that a body hands over. Ctrl-C ends the statement on the server too.
    /// - Parameter body: given what to call with the columns, and with each row.
    func writeRows(
        as format: ResultFormat, emptyLine: String = "no rows",
        _ body: (_ columns: ([TextColumn]) -> Void, _ row: ([String?]) throws -> Void) throws -> Void
    ) throws {
        flushOutput()
        let interruption = Interruption(of: interrupt, isOnce: true, cancels: true)
        var writer = ResultWriter(format)
        do {
            try body(
                { writer.begin($0) },
                {
                    if interruption.hasCome { throw Failure(.interrupted) }
                    try writer.add($0)
                })
            try writer.finish(emptyLine: emptyLine)
        } catch is ResultWriter.TableFull {
            try writer.finish(emptyLine: emptyLine, isCut: true)
        } catch is ResultWriter.OutputEnded {
            return
        } catch  where interruption.hasCome {
            throw Failure(.interrupted)
        }
    }
}

extension TextColumn {
    private static let integers: Set<PostgresType> = [.int2, .int4, .int8, .oid]
    private static let fractions: Set<PostgresType> = [
        .numeric, PostgresType(rawValue: 700), PostgresType(rawValue: 701),
    ]

    fileprivate var alignment: Table.Alignment {
        Self.fractions.contains(type) ? .point : Self.integers.contains(type) ? .right : .left
    }

    /// Times in ISO 8601 (the session is in UTC) and truth in words; anything else as the server writes it.
    fileprivate func shown(_ value: String) -> String {
        switch type {
        case .timestamptz where value.hasSuffix("+00"): value.dropLast(3).replacing(" ", with: "T") + "Z"
        case .bool: value == "t" ? "true" : "false"
        default: value
        }
    }

    fileprivate func json(_ shown: String) -> JSON {
        switch type {
        case .bool: .bool(shown == "true")
        case .json, .jsonb: .number(shown)
        // NaN and the infinities are no numbers in JSON.
        case _ where (Self.integers.contains(type) || Self.fractions.contains(type)) && shown.last?.isNumber == true:
            .number(shown)
        default: .string(shown)
        }
    }
}

/// As RFC 4180 has it. An empty text is quoted, so that it differs from NULL.
private func csvField(_ text: String) -> String {
    let needsQuotes =
        text.isEmpty
        || text.utf8.contains { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == 10 || $0 == 13 }
    return needsQuotes ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
}
