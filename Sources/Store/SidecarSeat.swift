public import Postgres

/// The place of a database's one sidecar: a lock in an open transaction of a connection of its own. Locks that outlive a
/// transaction could be taken by every role of the server.
///
/// The connection can be lost while the sidecar's other one goes on. So each write proves the seat: whoever has lost it to
/// another writes nothing.
public final class SidecarSeat {
    /// Tells who sits there.
    let id = PostgresUUID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
    private let holder: Connection

    /// Takes the seat.
    /// - Returns: nil where another sidecar has it.
    public init?(_ configuration: ConnectionConfiguration) throws {
        holder = try Connection(configuration.settled(for: .working))
        do {
            try holder.executeSimple(SQL.holdSeat)
        } catch let error where error.sqlState == .lockNotAvailable {
            return nil
        }
    }

    /// False where another sidecar may have taken it.
    public var isHeld: Bool { !holder.hasEndedWhileIdle() }
}
