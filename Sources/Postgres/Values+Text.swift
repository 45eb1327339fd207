extension String: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    /// Sent as text of a type that the query infers: fits `text`, `jsonb`, enums, `interval`, … alike.
    public static var postgresType: PostgresType { .inferred }
    public static var postgresArrayType: PostgresType { .textArray }
    public func encode(into writer: inout PostgresWriter) { writer.write(self) }
    public static func encodeArray(_ elements: [String], into writer: inout PostgresWriter) {
        writer.writeArrayHead(count: elements.count, hasNull: false, element: .text)
        for element in elements { writer.writeField(element) }
    }

    /// Reads text, names, JSON and enums.
    public init(decoding cell: borrowing PostgresCell) throws(PostgresError) {
        guard !cell.isNull else { throw cell.mismatch(String.self) }
        var bytes = cell.bytes
        switch cell.type {
        case .text, .varchar, .name, .bpchar, .unknown, .json, .char: break
        case .jsonb:
            // Binary jsonb is text after a version byte.
            guard bytes.first == 1 else { throw cell.malformed(String.self) }
            bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        default:
            // An enum's binary form is its label. Composites are not text, but they hold NUL bytes.
            guard cell.type.isUserDefined, !bytes.contains(0) else { throw cell.mismatch(String.self) }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw cell.malformed(String.self) }
        self = text
    }
}

/// `[UInt8]` is `bytea`, not an array of numbers.
extension UInt8: PostgresArrayElement {
    public static var postgresArrayType: PostgresType { .bytea }
    public static func encodeArray(_ elements: [UInt8], into writer: inout PostgresWriter) { writer.write(elements) }

    public static func decodeArray(_ cell: borrowing PostgresCell) throws(PostgresError) -> [UInt8] {
        guard cell.type == .bytea, !cell.isNull else { throw cell.mismatch([UInt8].self) }
        return Array(cell.bytes)
    }
}

/// `[[UInt8]]` is `bytea[]`.
extension Array: PostgresArrayElement where Element == UInt8 {
    public static var postgresArrayType: PostgresType { .byteaArray }
}
