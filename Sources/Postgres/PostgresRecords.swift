/// Rows of a composite type as one parameter, an array of it. Cheaper than an array for each column where columns are
/// many: the server spreads it with one function.
///
///     try pipeline.send("insert into t select r.* from unnest($1::point[]) r",
///         PostgresRecords(pipeline.recordType("point"), count: points.count, columnCount: 2) { index, writer in
///             writer.writeRecordField(points[index].x)
///             writer.writeRecordField(points[index].y)
///         })
public struct PostgresRecords: PostgresEncodable {
    public static var postgresType: PostgresType { .inferred }

    private let type: RecordType
    private let count: Int
    private let columnCount: Int
    private let row: (Int, inout PostgresWriter) -> Void

    /// - Parameter row: writes all fields of a row by `writeRecordField`, in the order of the type's columns.
    public init(
        _ type: RecordType, count: Int, columnCount: Int, _ row: @escaping (Int, inout PostgresWriter) -> Void
    ) {
        self.type = type
        self.count = count
        self.columnCount = columnCount
        self.row = row
    }

    public var parameterType: PostgresType { type.array }

    public func encode(into writer: inout PostgresWriter) {
        writer.writeArrayHead(count: count, hasNull: false, element: type.element)
        for index in 0..<count {
            let start = writer.beginSized()
            writer.write(Int32(columnCount))
            row(index, &writer)
            writer.endSized(start)
        }
    }
}

/// A composite type of this database, and the type of its arrays.
public struct RecordType: Hashable, Sendable {
    let element: PostgresType
    let array: PostgresType
}

extension PostgresWriter {
    /// A field of a record: its type, its length, its bytes.
    public mutating func writeRecordField<T: PostgresEncodable>(_ value: T) {
        let type = value.parameterType
        write(type == .inferred ? PostgresType.text.rawValue : type.rawValue)
        writeField(value)
    }
}

extension Connection {
    /// Looks a composite type up, once per connection.
    /// - Parameter name: with its schema, as SQL writes it.
    @discardableResult
    public func recordType(_ name: String) throws(PostgresError) -> RecordType {
        if let type = recordTypes[name] { return type }
        let row = try execute(
            "SELECT oid::bigint, typarray::bigint FROM pg_catalog.pg_type WHERE oid = $1::text::regtype", name
        ).one()
        let type = RecordType(
            element: PostgresType(rawValue: UInt32(truncatingIfNeeded: try row.decode(Int64.self, at: 0))),
            array: PostgresType(rawValue: UInt32(truncatingIfNeeded: try row.decode(Int64.self, at: 1))))
        recordTypes[name] = type
        return type
    }
}

extension Pipeline {
    /// A composite type that the connection has looked up before.
    public func recordType(_ name: String) -> RecordType {
        guard let type = connection.recordTypes[name] else {
            preconditionFailure("\(name) was not looked up before the pipeline began")
        }
        return type
    }
}
