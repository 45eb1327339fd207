public import Postgres

/// Something of the schema that is not as it was made: a restore can leave owners, rights, roles and chunks out.
public struct SchemaFault: Sendable, Hashable {
    /// In one line.
    public var message: String
    /// Whether `pgbook migrate` mends it.
    public var isMendable: Bool
}

extension Connection {
    /// What of the schema is not as it was made. The schema must be there.
    public func schemaFaults() throws(PostgresError) -> [SchemaFault] {
        var faults: [SchemaFault] = []
        for row in try execute(SQL.schemaFaults) {
            faults.append(SchemaFault(message: try row.decode(at: 0), isMendable: try row.decode(at: 1)))
        }
        return faults
    }

    /// - Throws: `StoreError` of kind `damaged` with the first fault and its remedy.
    public func requireOrder() throws {
        guard let fault = try schemaFaults().first else { return }
        throw StoreError(.damaged, fault.line)
    }
}

extension SchemaFault {
    /// With the remedy.
    public var line: String {
        isMendable ? "\(message): a restore left it out, or somebody changed it; as superuser run: pgbook migrate" : message
    }
}
