import Postgres

/// The columns of a table in the order of its COPY and INSERT statements, and how a row fills them.
///
/// One list serves both ways in: COPY, which is cheapest for many rows, and single rows, a few of which share a round
/// trip with other statements.
struct TableColumns<Row: Sendable>: Sendable {
    let copy: String
    let insert: String
    let columns: [Column<Row>]

    func copy(_ rows: [Row], over connection: Connection) throws {
        try connection.copyIn(copy) { out in
            for row in rows {
                try out.beginRow()
                for column in columns { try column.append(row, &out) }
            }
        }
    }

    func insert(_ rows: [Row], into pipeline: inout Pipeline) throws {
        for row in rows { try pipeline.send(insert, with: columns.map { $0.value(row) }) }
    }
}

/// One column: its value of a row.
struct Column<Row: Sendable>: Sendable {
    let append: @Sendable (Row, inout CopyRows) throws -> Void
    let value: @Sendable (Row) -> any PostgresEncodable

    init<Value: PostgresEncodable & SendableMetatype>(
        _ value: @escaping @Sendable (Row) -> Value
    ) {
        append = { row, out in try out.append(value(row)) }
        self.value = value
    }

    /// As above, for the commonest type.
    init(_ value: @escaping @Sendable (Row) -> Int64) {
        append = { row, out in try out.append(value(row)) }
        self.value = value
    }
}

/// From how many rows of a table on COPY is worth its own round trip.
let copyRowsMin = 8
