/// One row of `Rows`.
public struct Row {
    @usableFromInline let rows: Rows
    @usableFromInline let index: Int

    init(rows: Rows, index: Int) {
        self.rows = rows
        self.index = index
    }

    @inlinable public var columnCount: Int { rows.columnCount }

    public func isNull(at column: Int) -> Bool { rows.cell(row: index, column: column).isNull }

    /// The value of a column, counted from 0.
    /// - Throws: kind `decode`, naming the column, its type and the type asked for.
    @inlinable
    public func decode<T: PostgresDecodable>(_: T.Type = T.self, at column: Int) throws(PostgresError) -> T {
        guard column < columnCount else { throw noColumn(column) }
        do {
            return try rows.value(T.self, row: index, column: column)
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

    @usableFromInline
    func noColumn(_ column: Int) -> PostgresError {
        fault(PostgresError(.decode, "column \(column) of \(columnCount)"), column: nil)
    }

    @usableFromInline
    func fault(_ error: PostgresError, column: String?) -> PostgresError {
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
    @usableFromInline let row: Row
    @usableFromInline var column = 0

    init(row: Row) { self.row = row }

    @inlinable
    public mutating func next<T: PostgresDecodable>(_: T.Type = T.self) throws(PostgresError) -> T {
        defer { column += 1 }
        return try row.decode(T.self, at: column)
    }

    /// Leaves columns out.
    public mutating func skip(_ count: Int = 1) { column += count }
}
