/// A value that can be a statement's parameter or a field of a COPY row.
///
/// A type of your own conforms by writing what it stands for:
///
///     extension PriceTicks: PostgresEncodable {
///         static var postgresType: PostgresType { .int8 }
///         func encode(into writer: inout PostgresWriter) { writer.write(rawValue) }
///     }
public protocol PostgresEncodable {
    /// The type announced to the server; `.inferred` sends text and lets the query decide.
    static var postgresType: PostgresType { get }
    /// The type announced for this value; `postgresType` unless it is known at run time only.
    var parameterType: PostgresType { get }
    var isPostgresNull: Bool { get }
    /// Writes the binary form, without its length.
    func encode(into writer: inout PostgresWriter)
}

extension PostgresEncodable {
    public var parameterType: PostgresType { Self.postgresType }
    public var isPostgresNull: Bool { false }
}

/// A value that can be read from a column.
public protocol PostgresDecodable {
    /// - Throws: `PostgresError` of kind `decode`; the row adds the column's name and the query.
    init(decoding cell: borrowing PostgresCell) throws(PostgresError)
}

/// What may stand in a one-dimensional array. `encodeArray` and `decodeArray` are requirements so that an array of a
/// known type runs a loop that was compiled for it, even when it comes as `any PostgresEncodable`.
public protocol PostgresArrayElement {
    static var postgresArrayType: PostgresType { get }
    static func encodeArray(_ elements: [Self], into writer: inout PostgresWriter)
    static func decodeArray(_ cell: borrowing PostgresCell) throws(PostgresError) -> [Self]
}

extension PostgresArrayElement where Self: PostgresEncodable {
    public static func encodeArray(_ elements: [Self], into writer: inout PostgresWriter) {
        let hasNull = elements.contains { $0.isPostgresNull }
        writer.writeArrayHead(count: elements.count, hasNull: hasNull, element: Self.arrayElementType)
        for element in elements { writer.writeField(element) }
    }

    /// Text goes as inferred alone, but an array must name the type of its elements.
    static var arrayElementType: PostgresType { postgresType == .inferred ? .text : postgresType }
}

extension PostgresArrayElement where Self: PostgresDecodable {
    public static func decodeArray(_ cell: borrowing PostgresCell) throws(PostgresError) -> [Self] {
        var reader = try ArrayReader(cell, as: [Self].self)
        var elements: [Self] = []
        elements.reserveCapacity(reader.remaining)
        while reader.remaining > 0 { elements.append(try reader.next(Self.self)) }
        return elements
    }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    public static var postgresType: PostgresType { Wrapped.postgresType }
    public var isPostgresNull: Bool { self?.isPostgresNull ?? true }
    public func encode(into writer: inout PostgresWriter) { self?.encode(into: &writer) }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    @inlinable public init(decoding cell: borrowing PostgresCell) throws(PostgresError) {
        self = cell.isNull ? nil : try Wrapped(decoding: cell)
    }
}

extension Optional: PostgresArrayElement
where Wrapped: PostgresArrayElement & PostgresEncodable & PostgresDecodable {
    public static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    public static var postgresType: PostgresType { Element.postgresArrayType }
    public func encode(into writer: inout PostgresWriter) { Element.encodeArray(self, into: &writer) }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    public init(decoding cell: borrowing PostgresCell) throws(PostgresError) {
        self = try Element.decodeArray(cell)
    }
}
