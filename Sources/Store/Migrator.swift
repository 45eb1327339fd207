public import Postgres

/// Brings a database's schema to the one that this binary knows, forward only.
///
/// Each migration runs in a transaction together with its record, under a lock of the database: any number of
/// processes may migrate at once, and one that is killed leaves whole migrations behind. Never changed once released:
/// a migration's text is recorded by checksum.
///
///     let applied = try Migrator(connection).migrate()
public struct Migrator {
    private let connection: Connection
    private let known: [(name: String, sql: String)]

    public init(_ connection: Connection) {
        self.init(connection, known: Migrations.all)
    }

    /// With migrations of one's own, for tests.
    init(_ connection: Connection, known: [(name: String, sql: String)]) {
        self.connection = connection
        self.known = known
    }

    /// The names of all migrations of this binary, in order.
    public static var knownNames: [String] { Migrations.all.map(\.name) }

    /// Tells this binary's schema from others, in 16 hexadecimal digits: FNV-1a over all names and texts.
    public static var checksum: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for migration in Migrations.all {
            for byte in migration.name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            for byte in migration.sql.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Applies what is missing.
    /// - Parameter onApplied: told each migration's name once it is committed.
    /// - Returns: the names of those applied by this call.
    /// - Throws: `StoreError` where the server or the schema does not fit; `PostgresError`.
    @discardableResult
    public func migrate(onApplied: (String) -> Void = { _ in }) throws -> [String] {
        try requireFitServer()
        var applied: [String] = []
        while let name = try applyNext() {
            applied.append(name)
            onApplied(name)
        }
        return applied
    }

    /// What is applied, and what is not.
    public func status() throws(PostgresError) -> SchemaStatus {
        guard try isBegun() else {
            return SchemaStatus(migrations: known.map { SchemaStatus.Migration(name: $0.name, state: .pending) })
        }
        return try compare()
    }

    /// Passes where the schema is this binary's. Two short queries: every command asks before it starts.
    /// - Throws: `StoreError` of kind `notMigrated` or `schemaIsNewer`; `PostgresError`.
    public func requireCurrent() throws {
        guard try isBegun() else {
            throw StoreError(
                .notMigrated, "database \"\(connection.database)\" has no pgbook schema yet; run: pgbook migrate")
        }
        let applied = try connection.execute(SQL.appliedMigrations).map { try $0.decode(String.self, at: 0) }
        let names = known.map(\.name)
        if let unknown = applied.first(where: { !names.contains($0) }) { throw schemaIsNewer(unknown) }
        let pending = names.filter { !applied.contains($0) }
        guard pending.isEmpty else {
            throw StoreError(
                .notMigrated,
                "database \"\(connection.database)\" has an older schema: \(pending.joined(separator: ", ")) not applied; "
                    + "run: pgbook migrate")
        }
    }

    // MARK: one migration

    /// Applies the first pending migration, or returns nil when there is none.
    private func applyNext() throws -> String? {
        try retrying {
            try connection.transaction { connection in
                try connection.execute(SQL.lockMigrations)
                if try !isBegun() { try connection.executeSimple(SQL.createMigrations) }
                let status = try compare()
                try requireForward(status)
                guard let name = status.pending.first, let migration = known.first(where: { $0.name == name }) else {
                    return nil
                }
                try connection.executeSimple(migration.sql)
                try connection.execute(SQL.recordMigration, migration.name, migration.sql)
                return migration.name
            }
        }
    }

    /// Roles belong to the whole server, so that migrations of two databases can collide over them; the loser was
    /// rolled back and tries again.
    private func retrying<R>(_ body: () throws -> R) throws -> R {
        for _ in 1..<StoreLimits.migrationAttemptsMax {
            do {
                return try body()
            } catch let error as PostgresError where error.isRetryable || error.isCollision {
                continue
            }
        }
        return try body()
    }

    private func isBegun() throws(PostgresError) -> Bool {
        try connection.execute(SQL.hasMigrations).one().decode(at: 0)
    }

    private func compare() throws(PostgresError) -> SchemaStatus {
        let rows = try connection.execute(SQL.compareMigrations, known.map(\.name), known.map(\.sql))
        var migrations: [SchemaStatus.Migration] = []
        for row in rows {
            var columns = row.reader()
            let name: String = try columns.next()
            let isKnown: Bool = try columns.next()
            let isApplied: Bool = try columns.next()
            let isUnchanged: Bool? = try columns.next()
            let state: SchemaStatus.State =
                !isKnown ? .unknown : !isApplied ? .pending : isUnchanged == true ? .applied : .changed
            migrations.append(SchemaStatus.Migration(name: name, state: state, appliedAt: try columns.next()))
        }
        return SchemaStatus(migrations: migrations)
    }

    // MARK: refusals

    private func requireForward(_ status: SchemaStatus) throws(StoreError) {
        if let unknown = status.migrations.first(where: { $0.state == .unknown }) { throw schemaIsNewer(unknown.name) }
        if let changed = status.migrations.first(where: { $0.state == .changed }) {
            throw StoreError(
                .migrationChanged,
                "migration \(changed.name) of database \"\(connection.database)\" is not the one this pgbook holds: it was "
                    + "changed after it was applied; use the pgbook that applied it, or a new database")
        }
        let lastApplied = status.migrations.last { $0.state == .applied }?.name
        if let lastApplied, let pending = status.pending.first, !pending.utf8.lexicographicallyFollows(lastApplied.utf8)
        {
            throw StoreError(
                .migrationChanged,
                "migration \(pending) comes before \(lastApplied), which database \"\(connection.database)\" has already; "
                    + "migrations go forward only: give it a later number")
        }
    }

    private func schemaIsNewer(_ name: String) -> StoreError {
        StoreError(
            .schemaIsNewer,
            "database \"\(connection.database)\" has migration \(name), which this pgbook does not know: its schema is newer; "
                + "use the pgbook that migrated it, or a later one")
    }

    private func requireFitServer() throws {
        let facts = try ServerFacts(connection)
        if let fault = facts.fault { throw StoreError(.serverUnfit, fault) }
    }
}

/// Where a database's schema stands against this binary.
public struct SchemaStatus: Sendable, Hashable {
    public enum State: String, Sendable, Hashable {
        case applied, pending
        /// Applied with another text than this binary's.
        case changed
        /// Applied, and not known to this binary.
        case unknown
    }

    public struct Migration: Sendable, Hashable {
        public var name: String
        public var state: State
        public var appliedAt: PostgresTimestamp?
    }

    /// In the order of their names.
    public var migrations: [Migration]

    public var pending: [String] { migrations.filter { $0.state == .pending }.map(\.name) }
    public var isCurrent: Bool { migrations.allSatisfy { $0.state == .applied } }
}

extension PostgresError {
    /// Two sessions changed one catalog row, or made the same role, at the same time.
    fileprivate var isCollision: Bool {
        kind == .server && (message.hasPrefix("tuple concurrently") || sqlState == .uniqueViolation)
    }
}

extension String.UTF8View {
    fileprivate func lexicographicallyFollows(_ other: String.UTF8View) -> Bool {
        other.lexicographicallyPrecedes(self)
    }
}
