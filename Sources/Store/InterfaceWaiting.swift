public import OrderBook
public import Postgres

extension Connection {
    /// Hears of executed batches from now on. Call it before giving the command that will be waited for: then no
    /// notification of it is missed.
    public func listenForOutcomes() throws(PostgresError) {
        try listen("pgbook_books")
    }

    /// Waits until each command has its outcome, or the time is up.
    /// - Parameter pollInterval: how long a lost notification can delay the answer.
    /// - Parameter isStopped: asked after every wake; true ends the waiting.
    /// - Returns: the commands in the order of `ids`; `code` is nil where there is no outcome yet.
    public func waitForOutcomes(
        of ids: [OrderID], until deadline: ContinuousClock.Instant, pollInterval: Duration = .milliseconds(500),
        isStopped: () -> Bool = { false }
    ) throws(PostgresError) -> [CommandRecord] {
        var found: [OrderID: CommandRecord] = [:]
        while true {
            // Read away first: what comes during the query wakes the wait below.
            discardNotifications()
            for id in ids where found[id]?.code == nil { found[id] = try command(id) }
            let rest = deadline - ContinuousClock.now
            let isDone = ids.allSatisfy { found[$0]?.code != nil }
            if isDone || rest <= .zero || isStopped() { return ids.compactMap { found[$0] } }
            _ = try waitForNotification(timeout: min(rest, pollInterval))
        }
    }

    /// Waits until a batch was executed in some market, or the time is up.
    /// - Returns: whether one was.
    public func waitForBatch(_ timeout: Duration) throws(PostgresError) -> Bool {
        guard try waitForNotification(timeout: timeout) != nil else { return false }
        discardNotifications()
        return true
    }
}
