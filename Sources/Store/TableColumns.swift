import Postgres

/// The columns of a table in the order of its COPY and INSERT statements, and how a row fills them.
///
/// One list serves all ways in: COPY, which is cheapest for many rows and takes a round trip; an array of rows, which
/// shares one with other statements; and single rows, which do so too and cost less when they are few.
struct TableColumns<Row: Sendable>: Sendable {
    let copy: String
    let spread: String
    /// The composite type of a row, for `spread`.
    let rowType: String
    let insert: String
    let columns: [Column<Row>]

    /// - Parameter sql: a COPY of the same columns into another table.
    func copy(_ rows: [Row], over connection: Connection, by sql: String? = nil) throws {
        try connection.copyIn(sql ?? copy) { out in
            for row in rows {
                try out.beginRow()
                for column in columns { try column.append(row, &out) }
            }
        }
    }

    /// By an array of rows, or one by one. The connection must have looked the row's type up.
    func insert(_ rows: [Row], into pipeline: inout Pipeline) throws {
        guard rows.count < spreadRowsMin else {
            let records = PostgresRecords(
                pipeline.recordType(rowType), count: rows.count, columnCount: columns.count
            ) { index, writer in
                for column in columns { column.record(rows[index], &writer) }
            }
            try pipeline.send(spread, records)
            return
        }
        for row in rows { try pipeline.send(insert, with: columns.map { $0.value(row) }) }
    }
}

/// One column: its value of a row.
struct Column<Row: Sendable>: Sendable {
    let append: @Sendable (Row, inout CopyRows) throws -> Void
    let value: @Sendable (Row) -> any PostgresEncodable
    let record: @Sendable (Row, inout PostgresWriter) -> Void

    init<Value: PostgresEncodable & SendableMetatype>(
        _ value: @escaping @Sendable (Row) -> Value
    ) {
        append = { row, out in try out.append(value(row)) }
        self.value = value
        record = { row, writer in writer.writeRecordField(value(row)) }
    }

    /// As above, for the commonest type.
    init(_ value: @escaping @Sendable (Row) -> Int64) {
        append = { row, out in try out.append(value(row)) }
        self.value = value
        record = { row, writer in writer.writeRecordField(value(row)) }
    }
}

/// From how many rows of a table on COPY is worth its own round trip.
let copyRowsMin = 128
/// From how many rows on it costs less to spread an array of them.
let spreadRowsMin = 3
