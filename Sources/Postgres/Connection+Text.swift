internal import CLibPQ

/// A column of a result that comes as text.
public struct TextColumn: Sendable, Hashable {
    public var name: String
    public var type: PostgresType

    public init(name: String, type: PostgresType) {
        self.name = name
        self.type = type
    }
}

extension Connection {
    /// Runs one statement, whatever the types of its result, and hands over its rows one by one as they arrive, each
    /// value as the server writes it. It is not prepared, and several statements in one text are refused.
    ///
    /// The connection is busy until the last row; a body that throws ends the statement.
    /// - Parameters:
    ///   - columns: called once, before the first row.
    ///   - body: gets a value per column; nil is NULL.
    /// - Returns: the number of rows.
    /// - Throws: what the bodies throw, or the server's error, which may come after some rows.
    @discardableResult
    public func streamText(
        _ sql: String, with values: [any PostgresEncodable] = [], columns: ([TextColumn]) throws -> Void,
        forEach body: ([String?]) throws -> Void
    ) throws -> Int {
        try parameters.encode(values, for: sql)
        try requireNotActive(sql)
        let sent = PQsendQueryParams(
            handle, sql, Int32(parameters.lengths.count), parameters.types, parameters.values(), parameters.lengths,
            parameters.formats, 0)
        guard sent == 1 else { throw PostgresError.fault(nil, on: handle, query: sql) }
        _ = PQsetSingleRowMode(handle)
        var count = 0
        var isFirst = true
        do {
            while let result = PQgetResult(handle) {
                let rows = try check(result, sql)
                if isFirst {
                    try columns(zip(rows.columnNames, rows.types).map { TextColumn(name: $0, type: $1) })
                    isFirst = false
                }
                for row in 0..<rows.count {
                    try body((0..<rows.columnCount).map { rows.text(row: row, column: $0) })
                    count += 1
                }
            }
        } catch {
            if transactionStatus == .active { interrupt.cancel() }
            drain()
            throw error
        }
        return count
    }

    /// Whether a statement without parameters gives rows, as a select does; it is looked at and not run. COPY, SET and
    /// DO do not.
    public func returnsRows(_ sql: String) throws(PostgresError) -> Bool {
        try requireNotActive(sql)
        _ = try check(PQprepare(handle, "", sql, 0, nil), sql)
        return try check(PQdescribePrepared(handle, ""), sql).columnCount > 0
    }
}
