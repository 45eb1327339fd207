/// Which statements a connection has prepared, by text and parameter types, bounded.
///
/// A statement that makes room is closed on the server later: a pipeline may still be using it.
struct StatementCache {
    private var statements: [Key: Statement] = [:]
    private var uses: UInt64 = 0
    private var namesGiven: UInt64 = 0
    /// Names to DEALLOCATE at the next opportunity.
    private(set) var toClose: [String] = []

    struct Statement {
        var name: String
        var types: [UInt32]
        var lastUse: UInt64
    }

    /// A query's text, hashed by its length and end alone: texts are long, few, and mostly the same literal.
    private struct Key: Hashable {
        var sql: String

        func hash(into hasher: inout Hasher) {
            hasher.combine(sql.utf8.count)
            let end = sql.utf8.withContiguousStorageIfAvailable { utf8 in
                utf8.count < 8 ? 0 : UnsafeRawPointer(utf8.baseAddress! + utf8.count - 8).loadUnaligned(as: UInt64.self)
            }
            hasher.combine(end ?? 0)
        }
    }

    var count: Int { statements.count }

    /// The name under which this statement is prepared, if it is.
    mutating func name(of sql: String, types: [UInt32]) -> String? {
        uses += 1
        guard let index = statements.index(forKey: Key(sql: sql)), statements.values[index].types == types else {
            return nil
        }
        statements.values[index].lastUse = uses
        return statements.values[index].name
    }

    /// Gives a name to a statement that is about to be prepared.
    mutating func insert(_ sql: String, types: [UInt32]) -> String {
        remove(sql)
        if statements.count >= PostgresLimits.preparedStatementsMax,
            let oldest = statements.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            remove(oldest.key.sql)
        }
        namesGiven += 1
        let name = "pgbook_\(namesGiven)"
        statements[Key(sql: sql)] = Statement(name: name, types: types, lastUse: uses)
        return name
    }

    /// Forgets a statement, and closes it on the server if it got that far.
    mutating func remove(_ sql: String, wasPrepared: Bool = true) {
        guard let statement = statements.removeValue(forKey: Key(sql: sql)) else { return }
        if wasPrepared { toClose.append(statement.name) }
    }

    mutating func takeToClose() -> [String] {
        defer { toClose = [] }
        return toClose
    }
}
