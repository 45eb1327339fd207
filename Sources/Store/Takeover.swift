import OrderBook
public import Postgres

/// The tables of a state, in their order, and how they are given and taken.
private let stateTables: [(name: String, give: String, take: String)] = [
    ("commands", SQL.giveCommands, SQL.takeCommands), ("displaced", SQL.giveDisplaced, SQL.takeDisplaced),
    ("inbox", SQL.giveInbox, SQL.takeInbox), ("outcomes", SQL.giveOutcomes, SQL.takeOutcomes),
    ("book", SQL.giveBook, SQL.takeBook), ("closed", SQL.giveClosed, SQL.takeClosed),
    ("trades", SQL.giveTrades, SQL.takeTrades), ("candles_1m", SQL.giveCandles1m, SQL.takeCandles1m),
    ("candles_1h", SQL.giveCandles1h, SQL.takeCandles1h), ("candles_1d", SQL.giveCandles1d, SQL.takeCandles1d),
    ("busts", SQL.giveBusts, SQL.takeBusts), ("set_aside", SQL.giveSetAside, SQL.takeSetAside),
]

extension Connection {
    /// Gives the whole state of this node as bytes, as it is at one moment. Memory use does not depend on its size.
    /// - Parameter send: blocks while the receiver is busy; throwing ends it.
    public func giveState(to send: @escaping ([UInt8]) throws -> Void) throws {
        try readHoldingTrades { connection in
            var frames = StateFrameWriter(send)
            guard let head = try connection.execute(SQL.stateHead).one().decode(String?.self, at: 0) else {
                throw StoreError(.notMigrated, "this database is no node of a cluster")
            }
            try frames.write(StateFrame.head, Array("\(Migrator.checksum)\n\(head)".utf8))
            for (index, table) in stateTables.enumerated() {
                let rows = try connection.copyOut(table.give) { try frames.write(UInt8(index + 1), $0) }
                try frames.writeTableEnd(rows: rows)
            }
            try frames.finish()
        }
    }

    /// Replaces the state of this node by a peer's, all or nothing. Commands that entered here and have no stamp yet stay,
    /// and those with numbers that the peer lacks.
    /// - Parameters:
    ///   - next: the bytes that `giveState` gave, in pieces of any size; nil at the end. May block.
    ///   - source: the peer's name, for people.
    /// - Returns: how many commands have another outcome than before; `pgbook.divergence` lists them.
    /// - Throws: a `StoreError` where the bytes are not what was given, or of another cluster or schema.
    @discardableResult
    public func takeState(from source: String, _ next: @escaping () throws -> [UInt8]?) throws -> Int64 {
        do {
            return try transaction { connection in
                var frames = StateFrameReader(next)
                let head = try connection.head(frames.read())
                let renumbering = try connection.beginTakeover(head)
                for (index, table) in stateTables.enumerated() {
                    try connection.take(table.take, table.name, UInt8(index + 1), &frames, renumbering)
                }
                guard try frames.read().kind == StateFrame.end else {
                    throw StoreError(.mismatch, "the state goes on beyond its last table")
                }
                try connection.execute(SQL.noteCopied, head)
                return try connection.execute(SQL.endTakeover, source).one().decode(at: 0)
            }
        } catch let error as PostgresError where error.sqlState == SQLState("PB902") {
            throw StoreError(.mismatch, error.message)
        }
    }

    private func head(_ frame: (kind: UInt8, bytes: ArraySlice<UInt8>)) throws -> String {
        guard frame.kind == StateFrame.head, let line = frame.bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            throw StoreError(.mismatch, "the state has no head")
        }
        let checksum = String(decoding: frame.bytes[..<line], as: UTF8.self)
        guard checksum == Migrator.checksum else {
            throw StoreError(.mismatch, "the state is of another schema; bring all nodes to one version of pgbook")
        }
        return String(decoding: frame.bytes[(line + 1)...], as: UTF8.self)
    }

    private func beginTakeover(_ head: String) throws -> MarketRenumbering {
        var numbers: [Int16: Int16] = [:]
        for row in try execute(SQL.beginTakeover, head) {
            numbers[try row.decode(at: 0)] = try row.decode(Int16.self, at: 1)
        }
        return MarketRenumbering(numbers)
    }

    private func take(
        _ sql: String, _ name: String, _ kind: UInt8, _ frames: inout StateFrameReader, _ renumbering: MarketRenumbering
    ) throws {
        var told: Int?
        var isFirst = true
        let rows = try copyIn(sql) {
            let frame = try frames.read()
            guard frame.kind == kind else {
                guard frame.kind == StateFrame.tableEnd, frame.bytes.count == 8 else {
                    throw StoreError(.mismatch, "a part of kind \(frame.kind) stands among the rows of \(name)")
                }
                told = frame.bytes.reduce(0) { $0 << 8 | Int($1) }
                return nil
            }
            defer { isFirst = false }
            return try renumbering.apply(to: frame.bytes, hasHeader: isFirst)
        }
        guard rows == told else {
            throw StoreError(.mismatch, "\(rows) rows of \(name) came, where \(told ?? 0) were told")
        }
    }
}
