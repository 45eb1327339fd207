/// One row of `Rows`.
public struct Row {
    let rows: Rows
    let index: Int

    public var columnCount: Int { rows.columnCount }

    public func isNull(at column: Int) -> Bool { rows.cell(row: index, column: column).isNull }

    /// The value of a column, counted from 0.
    /// - Throws: kind `decode`, naming the column, its type and the type asked for.
    public func decode<T: PostgresDecodable>(_: T.Type = T.self, at column: Int) throws(PostgresError) -> T {
        guard column < rows.columnCount else {
            throw fault(PostgresError(.decode, "column \(column) of \(rows.columnCount)"), column: nil)
        }
        do {
            let value = try T(decoding: rows.cell(row: index, column: column))
            // The cell points into the result.
            return withExtendedLifetime(rows) { value }
        } catch {
            throw fault(error, column: rows.columnNames[column])
        }
    }

    /// The value of a column by name. Slower: in long loops find the position first.
    public func decode<T: PostgresDecodable>(_: T.Type = T.self, named name: String) throws(PostgresError) -> T {
        guard let column = rows.columnIndex(name) else {
            let names = rows.columnNames.joined(separator: ", ")
            throw fault(PostgresError(.decode, "no column '\(name)'; there are: \(names)"), column: nil)
        }
        return try decode(T.self, at: column)
    }

    /// Reads the columns from left to right.
    public func reader() -> RowReader { RowReader(row: self) }

    private func fault(_ error: PostgresError, column: String?) -> PostgresError {
        var error = error
        error.column = error.column ?? column
        error.query = queryLabel(rows.query)
        return error
    }
}

/// Reads the columns of a row from left to right:
///
///     var columns = row.reader()
///     let order = Order(id: try columns.next(), price: try columns.next())
public struct RowReader {
    private let row: Row
    private var column = 0

    init(row: Row) { self.row = row }

    public mutating func next<T: PostgresDecodable>(_: T.Type = T.self) throws(PostgresError) -> T {
        defer { column += 1 }
        return try row.decode(T.self, at: column)
    }

    /// Leaves columns out.
    public mutating func skip(_ count: Int = 1) { column += count }
}
