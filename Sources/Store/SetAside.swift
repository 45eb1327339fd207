public import OrderBook
public import Postgres

/// A command that is taken out of the way, because it cannot be read or executed: its market goes on.
public struct SetAside: Hashable, Sendable {
    public var id: OrderID
    public var code: OutcomeCode
    /// One line for a person.
    public var reason: String

    public init(id: OrderID, code: OutcomeCode, reason: String) {
        self.id = id
        self.code = code
        self.reason = reason
    }
}

/// A market whose row cannot be read. It takes no orders; the others go on.
public struct UnreadableMarket: Hashable, Sendable {
    public var number: MarketNumber
    public var symbol: String
    /// One line for a person.
    public var reason: String
}

/// The markets of a database.
public struct MarketList<Entry: Sendable>: Sendable {
    public var markets: [Entry] = []
    public var unreadable: [UnreadableMarket] = []
}

/// What is set aside, in words: a row of `pgbook.set_aside`.
public struct SetAsideRecord: Hashable, Sendable {
    public var market: String
    /// Nil: the whole market.
    public var id: OrderID?
    public var user: String?
    public var code: String
    public var reason: String
    public var noticedAt: Timestamp

    /// One line.
    public var summary: String {
        guard let id else { return "market \(market) is set aside and takes no orders: \(reason)" }
        return "command \(id) in \(market) was set aside as \(code): \(reason)"
    }
}

extension Market {
    /// Reads the columns of a market, and what follows them.
    /// - Parameter entry: reads the rest of a row.
    static func list<Entry>(
        _ rows: Rows, _ entry: (Market, inout RowReader) throws -> Entry
    ) -> MarketList<Entry> {
        var list = MarketList<Entry>()
        list.markets.reserveCapacity(rows.count)
        for row in rows {
            do {
                var columns = row.reader()
                list.markets.append(try entry(try Market.decode(&columns), &columns))
            } catch {
                guard let number: Int16 = try? row.decode(at: 0) else { continue }
                let symbol = (try? row.decode(String.self, at: 1)) ?? "number \(number)"
                list.unreadable.append(
                    UnreadableMarket(
                        number: MarketNumber(rawValue: number), symbol: symbol, reason: plainReason(error)))
            }
        }
        return list
    }
}

/// Whether rows could not be read as what they should be, while the connection and the statement were in order.
public func isFaultOfRows(_ error: any Error) -> Bool {
    error is StoreFault || (error as? PostgresError)?.kind == .decode
}

/// What a fault of a row says, without the particulars of the query.
func plainReason(_ error: any Error) -> String {
    guard let error = error as? PostgresError else { return "\(error)" }
    return error.column.map { "column \($0): \(error.message)" } ?? error.message
}

extension Connection {
    /// All markets, by symbol, and those whose rows cannot be read.
    public func marketList() throws -> MarketList<Market> {
        Market.list(try execute(SQL.markets)) { market, _ in market }
    }

    /// Makes the markets that are set aside exactly these. Writes nothing where they are already.
    public func setAside(markets: [UnreadableMarket]) throws {
        try execute(
            SQL.setMarketsAside, markets.map(\.number.rawValue), markets.map(\.reason))
    }

    /// Refuses commands that entered here and have no number in any log yet.
    func setAsideEntered(_ commands: [(market: Int16, command: SetAside)]) throws {
        guard !commands.isEmpty else { return }
        try execute(
            SQL.setEnteredAside, commands.map(\.market), commands.map(\.command.id.uuid),
            commands.map(\.command.code.rawValue), commands.map(\.command.reason))
    }

    /// What is set aside, the latest first.
    public func setAsideRecords(max: Int) throws -> [SetAsideRecord] {
        try execute(SQL.listSetAside, Int64(max)).map { row in
            var columns = row.reader()
            return SetAsideRecord(
                market: try columns.next(), id: try columns.next(PostgresUUID?.self).map { OrderID($0) },
                user: try? columns.next(String?.self), code: try columns.next(), reason: try columns.next(),
                noticedAt: Timestamp(try columns.next(PostgresTimestamp.self)))
        }
    }
}
