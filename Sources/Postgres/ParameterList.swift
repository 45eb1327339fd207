internal import CLibPQ

/// The parameters of one statement in the form that libpq takes them, in memory that is reused.
struct ParameterList: ~Copyable {
    private var writer = PostgresWriter()
    private var starts: [Int] = []
    private var pointers: [UnsafePointer<CChar>?] = []
    private(set) var lengths: [Int32] = []
    private(set) var formats: [Int32] = []
    private(set) var types: [Oid] = []

    var byteCount: Int { writer.count }

    mutating func encode(_ values: [any PostgresEncodable], for sql: String) throws(PostgresError) {
        writer.removeAll()
        starts.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        formats.removeAll(keepingCapacity: true)
        types.removeAll(keepingCapacity: true)
        guard values.count <= PostgresLimits.parametersMax else {
            throw PostgresError(
                .usage, "\(values.count) parameters, the limit is \(PostgresLimits.parametersMax)",
                query: queryLabel(sql))
        }
        for value in values { append(value) }
        if writer.foundNul {
            throw PostgresError(
                .usage, "a text parameter holds a NUL character, which PostgreSQL cannot store",
                sqlState: .characterNotInRepertoire, query: queryLabel(sql))
        }
        guard writer.count <= PostgresLimits.parameterBytesMax else {
            throw PostgresError(
                .usage, "\(writer.count) bytes of parameters, the limit is \(PostgresLimits.parameterBytesMax)",
                query: queryLabel(sql))
        }
    }

    private mutating func append(_ value: some PostgresEncodable) {
        let type = value.parameterType
        types.append(type.rawValue)
        formats.append(type == .inferred ? 0 : 1)
        guard !value.isPostgresNull else {
            starts.append(-1)
            lengths.append(0)
            return
        }
        let start = writer.count
        value.encode(into: &writer)
        starts.append(start)
        lengths.append(Int32(clamping: writer.count - start))
        // libpq reads text up to a NUL.
        if type == .inferred { writer.write(UInt8(0)) }
    }

    /// Pointers into the buffer; valid until the list changes.
    mutating func values() -> [UnsafePointer<CChar>?] {
        pointers.removeAll(keepingCapacity: true)
        let base = UnsafePointer(writer.base.assumingMemoryBound(to: CChar.self))
        for start in starts { pointers.append(start < 0 ? nil : base + start) }
        return pointers
    }
}
