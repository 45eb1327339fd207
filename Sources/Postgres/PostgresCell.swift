/// One field of a row, in binary form. It cannot be copied and so does not outlive the row it belongs to.
public struct PostgresCell: ~Copyable {
    public let type: PostgresType
    public let isNull: Bool
    let bytes: UnsafeRawBufferPointer

    func mismatch(_ wanted: Any.Type) -> PostgresError {
        PostgresError(.decode, isNull ? "NULL where \(wanted) was expected" : "\(type) cannot be read as \(wanted)")
    }

    func malformed(_ wanted: Any.Type) -> PostgresError {
        PostgresError(.decode, "\(bytes.count) bytes of \(type) are not a \(wanted)")
    }

    /// The bytes as one big-endian number of exactly that size.
    @inline(__always)
    func integer<T: FixedWidthInteger>(_: T.Type) throws(PostgresError) -> T {
        guard bytes.count == MemoryLayout<T>.size else { throw malformed(T.self) }
        return T(bigEndian: bytes.loadUnaligned(as: T.self))
    }
}

/// Walks the elements of a one-dimensional array in binary form.
struct ArrayReader {
    private let bytes: UnsafeRawBufferPointer
    private let element: PostgresType
    private var offset: Int
    private(set) var remaining: Int

    init(_ cell: borrowing PostgresCell, as wanted: Any.Type) throws(PostgresError) {
        guard !cell.isNull else { throw cell.mismatch(wanted) }
        bytes = cell.bytes
        // Every array has a head of three words: dimensions, flags, element type. Other types are shorter or differ.
        guard bytes.count >= 12, Self.arrayTypes.contains(cell.type) || cell.type.isUserDefined else {
            throw cell.mismatch(wanted)
        }
        let dimensions = Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))
        element = PostgresType(rawValue: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
        if dimensions == 0 {
            remaining = 0
            offset = 12
            return
        }
        guard dimensions == 1, bytes.count >= 20 else {
            throw PostgresError(.decode, "an array of \(dimensions) dimensions cannot be read as \(wanted)")
        }
        remaining = Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 12, as: Int32.self)))
        offset = 20
        guard remaining >= 0, remaining <= (bytes.count - 20) / 4 else { throw cell.malformed(wanted) }
    }

    private static let arrayTypes: Set<PostgresType> = [
        .boolArray, .byteaArray, .int2Array, .int4Array, .textArray, .int8Array, .timestamptzArray, .numericArray,
        .uuidArray, PostgresType(rawValue: 1003), PostgresType(rawValue: 1015), PostgresType(rawValue: 199),
        PostgresType(rawValue: 3807), PostgresType(rawValue: 1028),
    ]

    @inline(__always)
    mutating func next<T: PostgresDecodable>(_: T.Type) throws(PostgresError) -> T {
        guard offset + 4 <= bytes.count else { throw PostgresError(.decode, "a truncated array") }
        let length = Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
        offset += 4
        remaining -= 1
        let size = max(length, 0)
        guard offset + size <= bytes.count else { throw PostgresError(.decode, "a truncated array") }
        let field = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + size])
        offset += size
        return try T(decoding: PostgresCell(type: element, isNull: length < 0, bytes: field))
    }
}
