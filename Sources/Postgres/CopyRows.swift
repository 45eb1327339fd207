/// Writes the rows of a binary COPY; see `Connection.copyIn`.
public struct CopyRows: ~Copyable {
    private let connection: Connection
    private let columnCount: Int
    private let query: String
    private var writer = PostgresWriter(capacity: PostgresLimits.sendBufferBytes + 4096)
    private var columnsLeft = 0
    /// Rows begun so far.
    public private(set) var count = 0

    /// What every binary COPY begins with: eleven fixed bytes, flags, length of an extension.
    private static let signature: [UInt8] =
        Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [0, 0, 0, 0, 0, 0, 0, 0]

    init(_ connection: Connection, columnCount: Int, query: String) {
        self.connection = connection
        self.columnCount = columnCount
        self.query = query
        writer.write(Self.signature)
    }

    /// One whole row.
    public mutating func write(_ values: any PostgresEncodable...) throws(PostgresError) {
        try beginRow()
        for value in values { try append(value) }
    }

    /// Begins a row, whose columns follow by `append`. Faster than `write` where types are known.
    public mutating func beginRow() throws(PostgresError) {
        try requireWholeRow()
        if writer.count >= PostgresLimits.sendBufferBytes { try flush() }
        count += 1
        columnsLeft = columnCount
        writer.write(Int16(columnCount))
    }

    /// The next column of the row.
    public mutating func append(_ value: some PostgresEncodable) throws(PostgresError) {
        try takeColumn()
        writer.writeField(value)
    }

    /// The next column of the row, a `bigint`.
    public mutating func append(_ value: Int64) throws(PostgresError) {
        try takeColumn()
        let place = writer.extend(by: 12)
        place.storeBytes(of: Int32(8).bigEndian, as: Int32.self)
        (place + 4).storeBytes(of: value.bigEndian, as: Int64.self)
    }

    private mutating func takeColumn() throws(PostgresError) {
        columnsLeft -= 1
        guard columnsLeft >= 0 else {
            throw PostgresError(.usage, "row \(count) has more than \(columnCount) columns", query: queryLabel(query))
        }
    }

    private func requireWholeRow() throws(PostgresError) {
        guard columnsLeft == 0 else {
            throw PostgresError(
                .usage, "row \(count) has \(columnCount - columnsLeft) of \(columnCount) columns",
                query: queryLabel(query))
        }
    }

    private mutating func flush() throws(PostgresError) {
        try connection.putCopyData(writer.bytes, query)
        writer.removeAll()
    }

    mutating func finish() throws(PostgresError) {
        try requireWholeRow()
        writer.write(Int16(-1))
        try flush()
    }
}
