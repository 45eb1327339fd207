internal import Postgres

/// Whether a pooler that stands between keeps each client its server session. It is asked without changing anything:
/// process ids are read, the second connection in a transaction that is rolled back.
struct PoolerProbe {
    private enum Second {
        /// In a transaction, and who answers it.
        case open(Connection, Int32)
        /// No session was free in time.
        case waiting
        /// Transactions are not even kept together.
        case refused
    }

    private let configuration: ConnectionConfiguration
    /// Looks that all have to find the same session: other clients of the pool may hide what one look would show.
    private static let looks = 4
    /// How long a second session is waited for; a pool of sessions may have none left.
    private static let patienceMilliseconds = 2_000

    init(_ configuration: ConnectionConfiguration) { self.configuration = configuration }

    /// - Parameter process: what answered the connection before.
    func keepsSessions(_ connection: Connection, process: Int32) throws(PostgresError) -> Bool {
        for _ in 0..<Self.looks {
            let second = try second()
            // The only session that there is now has the other: asking this one would wait for it.
            if case .open(_, process) = second { return false }
            // While the other one is open, its session is not free for this connection.
            guard try ask(connection, within: connection.answerMilliseconds) == process else { return false }
            switch second {
            case .open(let other, _): other.rollback()
            // This connection's session lies idle, and nobody is given it.
            case .waiting: return true
            case .refused: return false
            }
        }
        return true
    }

    private func second() throws(PostgresError) -> Second {
        let connection = try Connection(configuration)
        do {
            _ = try connection.executeOnce("BEGIN READ ONLY", within: Self.patienceMilliseconds)
            return .open(connection, try ask(connection, within: Self.patienceMilliseconds))
        } catch {
            return error.sqlState == nil || error.message.contains("query_wait_timeout") ? .waiting : .refused
        }
    }

    private func ask(_ connection: Connection, within milliseconds: Int) throws(PostgresError) -> Int32 {
        try connection.executeOnce(SQL.serverProcess, within: milliseconds).one().decode(at: 0)
    }
}
