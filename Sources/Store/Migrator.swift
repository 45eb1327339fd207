internal import OrderBook
public import Postgres

/// Brings a database's schema to the one that this binary knows.
///
/// Tables go forward only, in the files of sql/schema. Each runs in a transaction together with its record, under a lock
/// of the database: any number of processes may migrate at once, and one that is killed leaves whole migrations behind.
/// Never changed once released: a migration's text is recorded by checksum.
///
/// Functions, views and grants, the files of sql/functions, are made anew, all in one transaction, whenever they are not
/// the ones of this binary.
///
///     let applied = try Migrator(connection).migrate()
public struct Migrator {
    private let connection: Connection
    private let known: [(name: String, sql: String)]
    private let functions: [(name: String, sql: String)]
    /// Of all names and texts of the functions.
    private let functionsChecksum: String
    /// What the functions are called among the migrations.
    static let functionsName = "functions"
    /// The last migration of the layout before this one, where tables and functions stood in one row of files.
    private static let lastOfOldLayout = "0028_stored_through"
    /// The files of today that make the same tables.
    private static let baseline = ["0001_roles", "0002_markets", "0003_orders", "0004_trades", "0005_cluster"]

    public init(_ connection: Connection) {
        self.init(connection, known: Migrations.schema, functions: Migrations.functions)
    }

    /// With migrations of one's own, for tests.
    init(
        _ connection: Connection, known: [(name: String, sql: String)], functions: [(name: String, sql: String)] = []
    ) {
        self.connection = connection
        self.known = known
        self.functions = functions
        functionsChecksum = Self.checksum(of: functions)
    }

    /// What `migrate` applies to an empty database, in order.
    public static var knownNames: [String] { Migrations.schema.map(\.name) + [functionsName] }

    /// What a database is called that is up to date: the last of the migrations of its tables.
    public static var version: String { Migrations.schema.last?.name ?? "" }

    /// Tells this binary's schema from others, in 16 hexadecimal digits.
    public static var checksum: String { checksum(of: Migrations.schema + Migrations.functions) }

    private static func checksum(of files: [(name: String, sql: String)]) -> String {
        var hash = SHA256()
        for file in files { hash.update(Array("\(file.name)\0\(file.sql)\0".utf8)) }
        let digits = String(hash.finalize().words.0, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Applies what is missing.
    /// - Parameters:
    ///   - onApplied: told each migration's name once it is committed.
    ///   - onWaiting: told for whom it waits, now and then.
    /// - Returns: the names of those applied by this call.
    /// - Throws: `StoreError` where the server or the schema does not fit; `PostgresError`.
    @discardableResult
    public func migrate(
        onApplied: (String) -> Void = { _ in }, onWaiting: (String) -> Void = { _ in }
    ) throws -> [String] {
        try requireFitServer()
        var applied: [String] = []
        while let name = try waiting(onWaiting, applyNext) {
            applied.append(name)
            onApplied(name)
        }
        if try waiting(onWaiting, applyFunctions) {
            applied.append(Self.functionsName)
            onApplied(Self.functionsName)
        }
        return applied
    }

    /// What is applied, and what is not.
    public func status() throws(PostgresError) -> SchemaStatus {
        let begun = try begun()
        guard begun.hasSchema, !begun.isOld else {
            let names = known.map(\.name) + (functions.isEmpty ? [] : [Self.functionsName])
            return SchemaStatus(migrations: names.map { SchemaStatus.Migration(name: $0, state: .pending) })
        }
        var status = try compare()
        if !functions.isEmpty {
            let recorded = try recordedFunctions()
            status.migrations.append(
                SchemaStatus.Migration(
                    name: Self.functionsName, state: recorded?.checksum == functionsChecksum ? .applied : .pending,
                    appliedAt: recorded?.appliedAt))
        }
        return status
    }

    /// Passes where the schema is this binary's. Three short queries: every command asks before it starts.
    /// - Throws: `StoreError` of kind `notMigrated` or `schemaIsNewer`; `PostgresError`.
    public func requireCurrent() throws {
        let begun = try begun()
        guard begun.hasSchema, !begun.isOld else {
            throw StoreError(
                .notMigrated,
                "database \"\(connection.database)\" has \(begun.isOld ? "an older" : "no") pgbook schema\(begun.isOld ? "" : " yet"); "
                    + "run: pgbook migrate")
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
        guard try functions.isEmpty || recordedFunctions()?.checksum == functionsChecksum else {
            throw StoreError(
                .notMigrated,
                "the functions in database \"\(connection.database)\" are not those of this pgbook; run: pgbook migrate"
            )
        }
    }

    // MARK: one migration

    /// Applies the first pending migration, or returns nil when there is none.
    private func applyNext() throws -> String? {
        try retrying {
            try connection.transaction { connection in
                try connection.execute(SQL.limitMigrationWaits)
                try connection.execute(SQL.pathForMigrating)
                // Two that make the schema of the record wait for each other; the second finds it made, and tries again.
                if try begun().hasSchema {
                    try connection.execute(SQL.lockMigrations)
                } else {
                    try connection.executeSimple(SQL.createMigrations)
                }
                if try begun().isOld { try adopt() }
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

    /// Makes the functions, views and grants anew where they are not this binary's.
    private func applyFunctions() throws -> Bool {
        guard !functions.isEmpty else { return false }
        return try retrying {
            try connection.transaction { connection in
                try connection.execute(SQL.limitMigrationWaits)
                try connection.execute(SQL.lockMigrations)
                try connection.execute(SQL.pathForMigrating)
                guard try recordedFunctions()?.checksum != functionsChecksum || isInDisorder() else { return false }
                for file in functions { try connection.executeSimple(file.sql) }
                try connection.execute(SQL.recordFunctions, functionsChecksum)
                return true
            }
        }
    }

    /// Runs a body that fails where a lock is not free in time, until it is.
    private func waiting<R>(_ onWaiting: (String) -> Void, _ body: () throws -> R) throws -> R {
        for _ in 1..<StoreLimits.migrationWaitsMax {
            do {
                return try body()
            } catch let error as PostgresError where error.sqlState == .lockNotAvailable {
                if let blocker = try blocker() { onWaiting("waiting for \(blocker)") }
            }
        }
        do {
            return try body()
        } catch let error as PostgresError where error.sqlState == .lockNotAvailable {
            throw StoreError(
                .busy, "nothing was changed: \(try blocker() ?? "another session") is in the way")
        }
    }

    /// Who uses what is to be changed, and how to end that.
    private func blocker() throws(PostgresError) -> String? {
        let rows = try connection.execute(SQL.migrationBlocker)
        guard !rows.isEmpty else { return nil }
        var columns = rows[0].reader()
        let process = try columns.next(Int32.self)
        let user = try columns.next(String?.self) ?? "another role"
        let application = try columns.next(String?.self) ?? ""
        let seconds = try columns.next(Int64?.self)
        let relations = try columns.next(String?.self) ?? "pgbook's tables"
        let name = application.isEmpty ? user : "\(user) (\(application))"
        let time = seconds.map { " for \($0) s" } ?? ""
        return "process \(process) of \(name), whose transaction has used \(relations)\(time); "
            + "end it with: select pg_terminate_backend(\(process))"
    }

    /// Owners or rights are not as the schema made them, and making the functions anew mends that.
    private func isInDisorder() throws(PostgresError) -> Bool {
        // A test's own files make something else.
        guard functionsChecksum == Self.checksum(of: Migrations.functions) else { return false }
        return try connection.schemaFaults().contains { $0.isMendable }
    }

    private func recordedFunctions() throws(PostgresError) -> (checksum: String, appliedAt: PostgresTimestamp)? {
        let rows = try connection.execute(SQL.appliedFunctions)
        guard !rows.isEmpty else { return nil }
        let row = rows[0]
        return (try row.decode(at: 0), try row.decode(at: 1))
    }

    /// Takes over a database whose tables were made by the last of the migrations of before.
    private func adopt() throws {
        let applied = try connection.execute(SQL.appliedMigrations).map { try $0.decode(String.self, at: 0) }
        guard applied.contains(Self.lastOfOldLayout) else {
            throw StoreError(
                .migrationChanged,
                "database \"\(connection.database)\" stands at \(applied.last ?? "nothing") of an earlier layout, of which only "
                    + "\(Self.lastOfOldLayout) can be taken over; migrate it with the pgbook that made it, or use a new database"
            )
        }
        try connection.executeSimple(SQL.adoptOldSchema)
        for migration in known where Self.baseline.contains(migration.name) {
            try connection.execute(SQL.recordMigration, migration.name, migration.sql)
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

    private func begun() throws(PostgresError) -> (hasSchema: Bool, isOld: Bool) {
        let row = try connection.execute(SQL.hasMigrations).one()
        return (try row.decode(at: 0), try row.decode(at: 1))
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
        kind == .server
            && (message.hasPrefix("tuple concurrently") || sqlState == .uniqueViolation || sqlState == .duplicateSchema)
    }
}

extension String.UTF8View {
    fileprivate func lexicographicallyFollows(_ other: String.UTF8View) -> Bool {
        other.lexicographicallyPrecedes(self)
    }
}
