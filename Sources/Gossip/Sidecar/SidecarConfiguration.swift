public import Replication
public import Store

/// What a sidecar needs to know.
public struct SidecarConfiguration: Sendable {
    public var replication: ReplicationConfiguration
    /// Must log in with the node's role.
    public var database: StoreConfiguration
    /// Microseconds by which the wall clock shall be wrong, for tests.
    public var clockError: Int64 = 0
    /// How often everything is computed again from the log; nil: when it is needed only.
    public var checkInterval: Duration?
    /// Computes everything again from the log, and returns the first thing that is not so in one line.
    public var check: @Sendable (StoreConnection) throws -> String?

    public init(
        _ replication: ReplicationConfiguration, database: StoreConfiguration,
        check: @escaping @Sendable (StoreConnection) throws -> String?
    ) {
        self.replication = replication
        self.database = database
        self.check = check
    }
}
