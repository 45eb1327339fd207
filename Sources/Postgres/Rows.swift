internal import CLibPQ

/// The result of one statement, as libpq holds it. Not Sendable: decode what you need where the connection is.
public final class Rows {
    private let result: OpaquePointer
    let query: String
    public let count: Int
    let types: [PostgresType]

    /// Takes over a result.
    init(_ result: OpaquePointer, query: String) {
        self.result = result
        self.query = query
        count = Int(PQntuples(result))
        types = (0..<PQnfields(result)).map { PostgresType(rawValue: PQftype(result, $0)) }
    }

    deinit { PQclear(result) }

    public var isEmpty: Bool { count == 0 }
    public var columnCount: Int { types.count }

    public var columnNames: [String] {
        (0..<Int32(types.count)).map { String(cString: PQfname(result, $0)) }
    }

    public func columnType(_ column: Int) -> PostgresType { types[column] }

    /// The position of a column, or nil; the first of several.
    public func columnIndex(_ name: String) -> Int? { columnNames.firstIndex(of: name) }

    /// Rows inserted, updated, deleted, selected or copied; 0 for commands that touch none.
    public var affectedCount: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

    /// The command tag: `INSERT 0 5`, `COMMIT`.
    public var commandTag: String { String(cString: PQcmdStatus(result)) }

    /// Inlined into the caller's module, so that decoding is compiled for its type.
    @inlinable
    func value<T: PostgresDecodable>(_: T.Type, row: Int, column: Int) throws(PostgresError) -> T {
        // The cell points into the result, which must outlive it.
        defer { withExtendedLifetime(self) {} }
        return try T(decoding: cell(row: row, column: column))
    }

    /// A value of a result that was asked for as text.
    func text(row: Int, column: Int) -> String? {
        defer { withExtendedLifetime(self) {} }
        let cell = cell(row: row, column: column)
        return cell.isNull ? nil : String(decoding: cell.bytes, as: UTF8.self)
    }

    @usableFromInline
    func cell(row: Int, column: Int) -> PostgresCell {
        precondition(
            row < count && column < types.count, "cell \(row), \(column) of \(count) rows, \(types.count) columns")
        let (row, index) = (Int32(truncatingIfNeeded: row), Int32(truncatingIfNeeded: column))
        let length = Int(PQgetlength(result, row, index))
        return PostgresCell(
            type: types[column], isNull: length == 0 && PQgetisnull(result, row, index) == 1,
            bytes: UnsafeRawBufferPointer(start: PQgetvalue(result, row, index), count: length))
    }
}

extension Rows: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { count }
    public subscript(index: Int) -> Row { Row(rows: self, index: index) }

    /// The only row.
    /// - Throws: kind `decode` where there are none or several.
    public func one() throws(PostgresError) -> Row {
        guard count == 1 else {
            throw PostgresError(.decode, "\(count) rows where one was expected", query: queryLabel(query))
        }
        return self[0]
    }
}
