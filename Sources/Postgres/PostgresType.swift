/// A type of PostgreSQL by its object id; the built-in ones never change.
public struct PostgresType: Hashable, Sendable, RawRepresentable, CustomStringConvertible {
    public let rawValue: UInt32

    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The server infers the type from the query; the value is sent as text.
    @inlinable public static var inferred: PostgresType { PostgresType(rawValue: 0) }
    @inlinable public static var bool: PostgresType { PostgresType(rawValue: 16) }
    @inlinable public static var bytea: PostgresType { PostgresType(rawValue: 17) }
    @inlinable public static var char: PostgresType { PostgresType(rawValue: 18) }
    @inlinable public static var name: PostgresType { PostgresType(rawValue: 19) }
    @inlinable public static var int8: PostgresType { PostgresType(rawValue: 20) }
    @inlinable public static var int2: PostgresType { PostgresType(rawValue: 21) }
    @inlinable public static var int4: PostgresType { PostgresType(rawValue: 23) }
    @inlinable public static var text: PostgresType { PostgresType(rawValue: 25) }
    @inlinable public static var oid: PostgresType { PostgresType(rawValue: 26) }
    @inlinable public static var json: PostgresType { PostgresType(rawValue: 114) }
    @inlinable public static var unknown: PostgresType { PostgresType(rawValue: 705) }
    @inlinable public static var bpchar: PostgresType { PostgresType(rawValue: 1042) }
    @inlinable public static var varchar: PostgresType { PostgresType(rawValue: 1043) }
    @inlinable public static var timestamptz: PostgresType { PostgresType(rawValue: 1184) }
    @inlinable public static var numeric: PostgresType { PostgresType(rawValue: 1700) }
    @inlinable public static var uuid: PostgresType { PostgresType(rawValue: 2950) }
    @inlinable public static var jsonb: PostgresType { PostgresType(rawValue: 3802) }

    @inlinable public static var boolArray: PostgresType { PostgresType(rawValue: 1000) }
    @inlinable public static var byteaArray: PostgresType { PostgresType(rawValue: 1001) }
    @inlinable public static var int2Array: PostgresType { PostgresType(rawValue: 1005) }
    @inlinable public static var int4Array: PostgresType { PostgresType(rawValue: 1007) }
    @inlinable public static var textArray: PostgresType { PostgresType(rawValue: 1009) }
    @inlinable public static var int8Array: PostgresType { PostgresType(rawValue: 1016) }
    @inlinable public static var timestamptzArray: PostgresType { PostgresType(rawValue: 1185) }
    @inlinable public static var numericArray: PostgresType { PostgresType(rawValue: 1231) }
    @inlinable public static var uuidArray: PostgresType { PostgresType(rawValue: 2951) }

    /// Enums, domains of extensions and the like: their ids differ from database to database.
    @inlinable public var isUserDefined: Bool { rawValue >= 16_384 }

    private static let names: [UInt32: String] = [
        0: "inferred", 16: "boolean", 17: "bytea", 18: "\"char\"", 19: "name", 20: "bigint", 21: "smallint",
        23: "integer", 25: "text", 26: "oid", 114: "json", 700: "real", 701: "double precision", 705: "unknown",
        1000: "boolean[]", 1001: "bytea[]", 1005: "smallint[]", 1007: "integer[]", 1009: "text[]", 1016: "bigint[]",
        1042: "character", 1043: "varchar", 1082: "date", 1114: "timestamp", 1184: "timestamptz",
        1185: "timestamptz[]", 1186: "interval", 1231: "numeric[]", 1700: "numeric", 2249: "record", 2278: "void",
        2950: "uuid", 2951: "uuid[]", 3802: "jsonb",
    ]

    public var description: String { Self.names[rawValue] ?? "type \(rawValue)" }
}
