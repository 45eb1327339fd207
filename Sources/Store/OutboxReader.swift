public import OrderBook
public import Postgres

/// Reads commands that entered here, each once, as they become visible.
///
/// It remembers what the database showed it last: a transaction that began early and commits late is no gap, its
/// commands are read when they are there.
public struct OutboxReader: Sendable {
    /// Everything that this snapshot sees was read; nil: nothing.
    private var read: String?
    /// The snapshot that is being read, and up to where.
    private var reading: (snapshot: String, entered: Int64)?

    /// Begins with everything that waits for its stamp.
    public init() {}

    /// The next commands in the order in which they entered; their times mean nothing yet.
    /// - Parameter max: fewer are returned only where there are no more at this moment.
    public mutating func next(_ connection: Connection, max: Int) throws -> [Command] {
        var commands: [Command] = []
        while commands.count < max {
            let wanted = max - commands.count
            let isResumed = reading != nil
            commands += try page(connection, max: wanted)
            // Since a snapshot that was begun earlier, more may have become visible.
            if reading == nil, !isResumed { break }
        }
        return commands
    }

    private mutating func page(_ connection: Connection, max: Int) throws -> [Command] {
        let rows = try connection.execute(
            SQL.readOutbox, read, reading?.snapshot, reading?.entered ?? 0, Int64(max))
        var commands: [Command] = []
        var unreadable: [(Int16, SetAside)] = []
        var target: String?
        var last: Int64?
        for row in rows {
            var columns = row.reader()
            target = try columns.next(String.self)
            guard let entered = try columns.next(Int64?.self) else { continue }
            last = entered
            let id = OrderID(try columns.next(PostgresUUID.self))
            let market = try columns.next(Int16?.self)
            do {
                guard let symbol = try columns.next(String?.self) else {
                    throw StoreFault("the log does not have it")
                }
                commands.append(try Command.decode(&columns, market: symbol))
            } catch {
                // Refused before it has a number, so that no node ever hears of it.
                unreadable.append(
                    (market ?? 0, SetAside(id: id, code: .unreadable, reason: plainReason(error))))
            }
        }
        try connection.setAsideEntered(unreadable)
        guard let target else { throw StoreFault("the outbox gave no snapshot") }
        if commands.count + unreadable.count < max {
            read = target
            reading = nil
        } else {
            reading = (target, last ?? 0)
        }
        return commands
    }
}

extension Connection {
    /// Hears of commands that enter here from now on.
    public func listenForEntered() throws { try listen("pgbook_outbox") }

    /// Asks to be notified of commands that enter here: they are announced only while somebody does.
    /// - Returns: transactions that may have entered some before that and are not at their end: those come unannounced.
    public func sleepAtOutbox() throws -> [String] { try execute(SQL.sleepAtOutbox).one().decode(at: 0) }
}
