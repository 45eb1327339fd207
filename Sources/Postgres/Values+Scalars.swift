// Booleans and integers. An integer is read from every narrower integer type, never from a wider one.

extension Bool: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    public static var postgresType: PostgresType { .bool }
    public static var postgresArrayType: PostgresType { .boolArray }
    public func encode(into writer: inout PostgresWriter) { writer.write(UInt8(self ? 1 : 0)) }
    public static func encodeArray(_ elements: [Bool], into writer: inout PostgresWriter) {
        writer.writeArray(elements, type: .bool) { UInt8($0 ? 1 : 0) }
    }

    public init(decoding cell: borrowing PostgresCell) throws(PostgresError) {
        guard cell.type == .bool, !cell.isNull else { throw cell.mismatch(Bool.self) }
        self = try cell.integer(UInt8.self) != 0
    }
}

extension Int16: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    public static var postgresType: PostgresType { .int2 }
    public static var postgresArrayType: PostgresType { .int2Array }
    public func encode(into writer: inout PostgresWriter) { writer.write(self) }
    public static func encodeArray(_ elements: [Int16], into writer: inout PostgresWriter) {
        writer.writeArray(elements, type: .int2) { $0 }
    }

    public init(decoding cell: borrowing PostgresCell) throws(PostgresError) {
        guard cell.type == .int2, !cell.isNull else { throw cell.mismatch(Int16.self) }
        self = try cell.integer(Int16.self)
    }
}

extension Int32: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    public static var postgresType: PostgresType { .int4 }
    public static var postgresArrayType: PostgresType { .int4Array }
    public func encode(into writer: inout PostgresWriter) { writer.write(self) }
    public static func encodeArray(_ elements: [Int32], into writer: inout PostgresWriter) {
        writer.writeArray(elements, type: .int4) { $0 }
    }

    public init(decoding cell: borrowing PostgresCell) throws(PostgresError) {
        guard !cell.isNull else { throw cell.mismatch(Int32.self) }
        switch cell.type {
        case .int4: self = try cell.integer(Int32.self)
        case .int2: self = Int32(try cell.integer(Int16.self))
        default: throw cell.mismatch(Int32.self)
        }
    }
}

extension Int64: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    public static var postgresType: PostgresType { .int8 }
    public static var postgresArrayType: PostgresType { .int8Array }
    public func encode(into writer: inout PostgresWriter) { writer.write(self) }
    public static func encodeArray(_ elements: [Int64], into writer: inout PostgresWriter) {
        writer.writeArray(elements, type: .int8) { $0 }
    }

    public init(decoding cell: borrowing PostgresCell) throws(PostgresError) {
        guard !cell.isNull else { throw cell.mismatch(Int64.self) }
        switch cell.type {
        case .int8: self = try cell.integer(Int64.self)
        case .int4: self = Int64(try cell.integer(Int32.self))
        case .int2: self = Int64(try cell.integer(Int16.self))
        case .oid: self = Int64(try cell.integer(UInt32.self))
        default: throw cell.mismatch(Int64.self)
        }
    }
}

extension Int: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    public static var postgresType: PostgresType { .int8 }
    public static var postgresArrayType: PostgresType { .int8Array }
    public func encode(into writer: inout PostgresWriter) { writer.write(Int64(self)) }
    public static func encodeArray(_ elements: [Int], into writer: inout PostgresWriter) {
        writer.writeArray(elements, type: .int8) { Int64($0) }
    }

    public init(decoding cell: borrowing PostgresCell) throws(PostgresError) {
        self = Int(try Int64(decoding: cell))
    }
}
