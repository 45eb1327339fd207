public import Postgres

/// A connection, for modules that speak to the database through this one alone.
public typealias StoreConnection = Connection
/// A connection on a thread of its own, for asynchronous code.
public typealias StoreSession = Session
/// Where and how to connect.
public typealias StoreConfiguration = ConnectionConfiguration

extension Connection {
    /// Runs a body that sees the database as it is at one moment, and writes nothing.
    public func readAtOneMoment<R>(_ body: (Connection) throws -> R) throws -> R {
        try transaction("isolation level repeatable read, read only", body)
    }
}
