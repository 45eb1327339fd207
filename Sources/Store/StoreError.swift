public import Postgres

/// Why the store cannot be used, in one line for a person: what happened, what it means, what to do.
///
/// A refused command is not an error of the store: see `Rejection`.
public struct StoreError: Error, Sendable, Hashable {
    /// More kinds may be added.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// The database has no pgbook schema, or an older one.
        public static let notMigrated = Kind(description: "not migrated")
        /// The database's schema was made by a newer pgbook.
        public static let schemaIsNewer = Kind(description: "schema is newer")
        /// An applied migration is not the one this binary holds.
        public static let migrationChanged = Kind(description: "migration changed")
        /// The server lacks something that pgbook needs.
        public static let serverUnfit = Kind(description: "server unfit")
        /// The schema is there, and something of it is not as it was made.
        public static let damaged = Kind(description: "damaged")
        /// A peer's market is another than this database's.
        public static let mismatch = Kind(description: "mismatch")
        /// Others are in the way, and stay there.
        public static let busy = Kind(description: "busy")
        /// The role may not do this.
        public static let notAllowed = Kind(description: "not allowed")
    }

    public var kind: Kind
    public var message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}

extension StoreError: CustomStringConvertible {
    public var description: String { message }
}

extension PostgresError {
    /// A statement that the role lacks the right for.
    public var isMissingRight: Bool { kind == .server && sqlState == .insufficientPrivilege }
}
