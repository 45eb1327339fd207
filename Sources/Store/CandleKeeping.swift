public import OrderBook
public import Postgres

// What keeps the candles right. The role must be a node.

/// What a candle is made of.
public struct CandleTrade: Sendable {
    public var time: Timestamp
    public var id: TradeID
    public var price: PriceTicks
    public var amount: AmountLots
    public var takerSide: Side
    public var isBusted: Bool
}

/// A table of candles.
public enum CandleLevel: String, CaseIterable, Sendable {
    case minute = "1m"
    case hour = "1h"
    case day = "1d"

    /// Microseconds.
    public var length: Int64 {
        switch self {
        case .minute: Candle.minute
        case .hour: 60 * Candle.minute
        case .day: 1440 * Candle.minute
        }
    }
}

/// A chunk of the trades' table.
public struct TradeChunk: Sendable, Hashable {
    public var name: String
    public var begins: Timestamp
    public var ends: Timestamp
    public var trades: Int64
}

extension Connection {
    /// Closes the hours and days of a market that have ended.
    /// - Parameter hoursMax: how many at most.
    /// - Returns: how many hours were closed.
    public func closeCandles(_ market: MarketNumber, hoursMax: Int32? = nil) throws -> Int64 {
        try execute(SQL.closeCandles, market.rawValue, hoursMax).one().decode(at: 0)
    }

    /// Runs a body that sees the database as it is at one moment, and writes nothing. No trade is dropped meanwhile.
    public func readHoldingTrades<R>(_ body: (Connection) throws -> R) throws -> R {
        try readAtOneMoment { connection in
            try connection.execute(SQL.holdTrades)
            return try body(connection)
        }
    }

    /// Up to where trades were dropped; the least time there is if none were.
    public func tradeHorizon() throws -> Timestamp {
        Timestamp(try execute(SQL.tradeHorizon).one().decode(PostgresTimestamp.self, at: 0).microsecondsSinceUnixEpoch)
    }

    /// The chunks that lie wholly before a time.
    public func tradeChunks(before: Timestamp) throws -> [TradeChunk] {
        try execute(SQL.tradeChunks, before.postgres).map(TradeChunk.init)
    }

    /// Drops the chunks that lie wholly before a time.
    public func dropTrades(before: Timestamp) throws -> [TradeChunk] {
        try execute(SQL.dropTrades, before.postgres).map(TradeChunk.init)
    }

    /// Drops the chunks that lie wholly before a time, one after another, and waits for whoever reads one without keeping
    /// others from it.
    /// - Parameters:
    ///   - patience: how long one chunk is tried again.
    ///   - onWait: told once for each chunk that is waited for, in one line.
    /// - Throws: a `StoreError` of kind `busy` where a chunk is read for longer; what was dropped stays dropped.
    public func dropTrades(
        before: Timestamp, patience: Duration, onWait: (String) -> Void
    ) throws -> [TradeChunk] {
        var dropped: [TradeChunk] = []
        for chunk in try tradeChunks(before: before) {
            let deadline = ContinuousClock.now + patience
            var pause = Duration.milliseconds(100)
            while true {
                do {
                    dropped += try dropTrades(before: chunk.ends)
                    break
                } catch let error as PostgresError where error.isLockTimeout {
                    let readers = try execute(SQL.chunkReaders, chunk.name).one().decode(String?.self, at: 0)
                    let who = readers.map { "server process \($0)" } ?? "somebody"
                    guard ContinuousClock.now < deadline else {
                        throw StoreError(
                            .busy,
                            "\(dropped.count) chunks were dropped, and then not \(chunk.name): \(who) reads it; end that session or try again later"
                        )
                    }
                    if pause == .milliseconds(100) { onWait("\(chunk.name) is read by \(who); it is tried again") }
                    _ = try waitForNotification(timeout: pause)
                    pause = min(pause * 2, .seconds(2))
                }
            }
        }
        return dropped
    }

    /// How much time new chunks cover.
    /// - Throws: a `Rejection` where that is neither hours that divide a day nor whole days.
    public func setTradeChunk(seconds: Int64) throws {
        _ = try refusing { try execute(SQL.setTradeChunk, seconds) }
    }

    /// The days (midnights UTC) that a rebuild of a market's candles goes through; where an earlier one ended too early,
    /// those that are left.
    public func daysToRebuild(_ market: MarketNumber, fromBeginning: Bool) throws -> [Timestamp] {
        let row = try execute(SQL.rebuildRange, market.rawValue).one()
        guard let first = try row.decode(PostgresTimestamp?.self, at: 0),
            let last = try row.decode(PostgresTimestamp?.self, at: 1)
        else { return [] }
        let left = fromBeginning ? nil : try row.decode(PostgresTimestamp?.self, at: 2)
        let day = CandleLevel.day.length
        let begin = max(first, left ?? first).microsecondsSinceUnixEpoch
        let midnight = begin - (begin % day + day) % day
        return stride(from: midnight, through: last.microsecondsSinceUnixEpoch, by: Int(day)).map { Timestamp($0) }
    }

    /// Makes the candles of a day what its trades say. Returns how many were wrong.
    public func rebuildDay(_ market: MarketNumber, _ day: Timestamp) throws -> Int64 {
        try execute(SQL.rebuildDay, market.rawValue, day.postgres).one().decode(at: 0)
    }

    /// Ends a rebuild of all days: removes stored hours and days that cannot be closed yet.
    /// - Returns: how many there were.
    public func endRebuild(_ market: MarketNumber) throws -> Int64 {
        try execute(SQL.endRebuild, market.rawValue).one().decode(at: 0)
    }
}

extension TradeChunk {
    fileprivate init(_ row: Row) throws(PostgresError) {
        var columns = row.reader()
        name = try columns.next()
        begins = Timestamp(try columns.next(PostgresTimestamp.self))
        ends = Timestamp(try columns.next(PostgresTimestamp.self))
        trades = try columns.next()
    }
}

extension StoredMarket {
    /// Whether its trades came from elsewhere, and how many it had.
    public func history() throws -> (isImported: Bool, trades: Int64) {
        let row = try connection.execute(SQL.marketHistory, number).one()
        return (try row.decode(at: 0), try row.decode(at: 1))
    }

    /// The spans of time that trades may lie in, after a time, in their order. Who reads one span at a time has one
    /// chunk planned at a time.
    public func tradeSpans(after time: Timestamp) throws -> [Range<Timestamp>] {
        try connection.execute(SQL.tradeSpans, time.postgres).map { row in
            Timestamp(
                try row.decode(PostgresTimestamp.self, at: 0))..<Timestamp(
                    try row.decode(PostgresTimestamp.self, at: 1))
        }
    }

    /// The trades of a span in their order, beyond a place.
    public func candleTrades(
        in span: Range<Timestamp>, after place: (time: Timestamp, id: TradeID), max: Int
    ) throws -> [CandleTrade] {
        try connection.execute(
            SQL.candleTrades, number, place.time.postgres, place.id.rawValue, span.lowerBound.postgres,
            span.upperBound.postgres, Int64(max)
        ).map { row in
            var columns = row.reader()
            return CandleTrade(
                time: Timestamp(try columns.next(PostgresTimestamp.self)), id: TradeID(try columns.next()),
                price: PriceTicks(try columns.next()), amount: AmountLots(try columns.next()),
                takerSide: try columns.next(Int16.self) == 0 ? .bid : .ask, isBusted: try columns.next())
        }
    }

    /// The rows of a table of candles in order of time.
    public func candles(_ level: CandleLevel, after time: Timestamp, max: Int) throws -> [Candle] {
        let sql =
            switch level {
            case .minute: SQL.verifyCandles
            case .hour: SQL.page1h
            case .day: SQL.page1d
            }
        return try connection.execute(sql, number, time.postgres, Int64(max)).map(Candle.decode)
    }

    /// Up to where hours and days are closed.
    public func closedLevels() throws -> (hour: Timestamp, day: Timestamp) {
        guard let row = try connection.execute(SQL.candleLevels, number).first else {
            return (Timestamp(Int64.min), Timestamp(Int64.min))
        }
        return (
            Timestamp(try row.decode(PostgresTimestamp.self, at: 0)),
            Timestamp(try row.decode(PostgresTimestamp.self, at: 1))
        )
    }

    /// The trades that were busted.
    public func bustedTrades() throws -> Set<TradeID> {
        Set(try connection.execute(SQL.bustedTrades, number).map { TradeID(try $0.decode(at: 0)) })
    }
}
