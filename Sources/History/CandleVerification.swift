public import OrderBook
public import Store

/// Computes a market's candles again from its raw trades, one by one, and compares all levels with the tables.
///
/// It reads one moment of a live database in pages, writes nothing, and keeps trades from being dropped meanwhile. Of
/// trades that were dropped before, only the minutes are left: hours and days are then compared with these.
public struct CandleVerification {
    /// The first thing that the tables say and the trades do not give.
    public struct Difference: Hashable, Sendable, CustomStringConvertible {
        public var market: String
        public var level: CandleLevel
        /// When the bucket begins.
        public var time: Timestamp
        public var column: String
        /// What the table says, in ticks and lots; nil where the candle is missing.
        public var stored: String?
        /// What the trades give; nil where they give no candle.
        public var computed: String?

        public var description: String {
            let candle = "\(market): \(level.rawValue) candle of \(time.utc)"
            guard let computed else { return "\(candle) stands in the table, but no trade gives it" }
            guard let stored else { return "\(candle) is missing: \(computed)" }
            return "\(candle): \(column) is \(stored), the trades give \(computed)"
        }
    }

    public struct Report: Sendable {
        public var market: String
        public var trades: Int64 = 0
        public var busted: Int64 = 0
        /// Candles compared, of all levels.
        public var candles: Int64 = 0
        /// Before this trades were dropped; nil if none were.
        public var horizon: Timestamp?
        /// Minutes whose trades were dropped, so that nothing can prove them.
        public var uncheckedMinutes: Int64 = 0
        public var difference: Difference?
    }

    /// Rows per page.
    static let pageRows = 10_000

    private let connection: StoreConnection
    private let onProgress: (Report) throws -> Void

    /// - Parameter onProgress: called after each page with what was done so far; what it throws ends the verification.
    public init(_ connection: StoreConnection, onProgress: @escaping (Report) throws -> Void = { _ in }) {
        self.connection = connection
        self.onProgress = onProgress
    }

    public func run(_ market: Market) throws -> Report {
        try connection.readHoldingTrades { connection in
            var comparison = Comparison(
                StoredMarket(connection, market: market), closed: (Timestamp(0), Timestamp(0)))
            comparison.closed = try comparison.stored.closedLevels()
            do {
                try comparison.run(horizon: try connection.tradeHorizon(), onProgress)
            } catch let difference as Found {
                comparison.report.difference = difference.difference
            }
            return comparison.report
        }
    }
}

private struct Found: Error { var difference: CandleVerification.Difference }

private struct Comparison {
    let stored: StoredMarket
    var closed: (hour: Timestamp, day: Timestamp)
    var report: CandleVerification.Report
    private var minute: Candle?
    private var hour: Candle?
    private var day: Candle?
    private let minutes: StoredLevel
    private let hours: StoredLevel
    private let days: StoredLevel

    init(_ stored: StoredMarket, closed: (hour: Timestamp, day: Timestamp)) {
        self.stored = stored
        self.closed = closed
        report = CandleVerification.Report(market: stored.market.symbol)
        minutes = StoredLevel(stored, .minute)
        hours = StoredLevel(stored, .hour)
        days = StoredLevel(stored, .day)
    }

    mutating func run(horizon: Timestamp, _ onProgress: (CandleVerification.Report) throws -> Void) throws {
        if horizon.rawValue != .min {
            report.horizon = horizon
            while let row = try minutes.next(before: horizon) {
                report.uncheckedMinutes += 1
                try addToHour(row)
            }
        }
        for span in try stored.tradeSpans(after: horizon) {
            var place = (time: span.lowerBound, id: TradeID(Int64.min))
            while true {
                let page = try stored.candleTrades(in: span, after: place, max: CandleVerification.pageRows)
                for trade in page { try add(trade) }
                try onProgress(report)
                guard page.count == CandleVerification.pageRows, let last = page.last else { break }
                place = (last.time, last.id)
            }
        }
        try finish()
        try onProgress(report)
    }

    private mutating func add(_ trade: CandleTrade) throws {
        report.trades += 1
        guard !trade.isBusted else {
            report.busted += 1
            return
        }
        let candle = Candle(trade)
        if let open = minute, open.time != candle.time { try close(minute: open) }
        if minute == nil { minute = candle } else { try minute!.append(candle) }
    }

    private mutating func close(minute candle: Candle) throws {
        minute = nil
        try compare(candle, minutes)
        try addToHour(candle)
    }

    private mutating func addToHour(_ candle: Candle) throws {
        let start = candle.time.floored(to: CandleLevel.hour.length)
        if let open = hour, open.time != start { try close(hour: open) }
        guard start < closed.hour else { return }
        hour = try hour.appending(candle, at: start)
    }

    private mutating func close(hour candle: Candle) throws {
        hour = nil
        try compare(candle, hours)
        let start = candle.time.floored(to: CandleLevel.day.length)
        if let open = day, open.time != start { try close(day: open) }
        guard start < closed.day else { return }
        day = try day.appending(candle, at: start)
    }

    private mutating func close(day candle: Candle) throws {
        day = nil
        try compare(candle, days)
    }

    private mutating func finish() throws {
        if let minute { try close(minute: minute) }
        if let hour { try close(hour: hour) }
        if let day { try close(day: day) }
        try requireEnd(minutes)
        try requireEnd(hours)
        try requireEnd(days)
    }

    private func requireEnd(_ rows: StoredLevel) throws {
        guard let extra = try rows.next() else { return }
        throw found(rows.level, extra.time, "row", stored: extra.line, computed: nil)
    }

    private mutating func compare(_ wanted: Candle, _ rows: StoredLevel) throws {
        report.candles += 1
        guard let row = try rows.next(), row.time <= wanted.time else {
            throw found(rows.level, wanted.time, "row", stored: nil, computed: wanted.line)
        }
        guard row.time == wanted.time else {
            throw found(rows.level, row.time, "row", stored: row.line, computed: nil)
        }
        guard row != wanted else { return }
        let values = zip(row.values, wanted.values)
        for (column, (theirs, ours)) in zip(Candle.columns, values) where theirs != ours {
            throw found(rows.level, wanted.time, column, stored: "\(theirs)", computed: "\(ours)")
        }
    }

    private func found(
        _ level: CandleLevel, _ time: Timestamp, _ column: String, stored: String?, computed: String?
    ) -> Found {
        Found(
            difference: CandleVerification.Difference(
                market: report.market, level: level, time: time, column: column, stored: stored, computed: computed))
    }
}

/// The rows of a table of candles, one after another, a page at a time.
private final class StoredLevel {
    private let stored: StoredMarket
    let level: CandleLevel
    private var page: [Candle] = []
    private var position = 0
    private var lastTime = Timestamp(Int64.min)

    init(_ stored: StoredMarket, _ level: CandleLevel) {
        self.stored = stored
        self.level = level
    }

    func next(before end: Timestamp = Timestamp(Int64.max)) throws -> Candle? {
        if position == page.count {
            page = try stored.candles(level, after: lastTime, max: CandleVerification.pageRows)
            position = 0
            if let last = page.last { lastTime = last.time }
        }
        guard position < page.count, page[position].time < end else { return nil }
        defer { position += 1 }
        return page[position]
    }
}

extension Candle? {
    /// With a later candle of the bucket that begins at a time.
    fileprivate func appending(_ later: Candle, at start: Timestamp) throws(Overflow) -> Candle {
        guard var candle = self else {
            var first = later
            first.time = start
            return first
        }
        try candle.append(later)
        return candle
    }
}

extension Candle {
    fileprivate init(_ trade: CandleTrade) {
        self.init(
            time: trade.time.floored(to: Candle.minute), open: trade.price, high: trade.price, low: trade.price,
            close: trade.price, volume: Int128(trade.amount.rawValue),
            notional: Notional(price: trade.price, amount: trade.amount), trades: 1, firstTrade: trade.id,
            lastTrade: trade.id, takerBuyVolume: trade.takerSide == .bid ? Int128(trade.amount.rawValue) : 0,
            takerBuyNotional: trade.takerSide == .bid ? Notional(price: trade.price, amount: trade.amount) : .zero)
    }

    fileprivate static let columns = [
        "open", "high", "low", "close", "trades", "first_trade_id", "last_trade_id", "volume", "notional",
        "taker_buy_volume", "taker_buy_notional",
    ]

    fileprivate var values: [Int128] {
        [
            Int128(open.rawValue), Int128(high.rawValue), Int128(low.rawValue), Int128(close.rawValue), Int128(trades),
            Int128(firstTrade.rawValue), Int128(lastTrade.rawValue), volume, notional.rawValue, takerBuyVolume,
            takerBuyNotional.rawValue,
        ]
    }

    fileprivate var line: String { zip(Self.columns, values).map { "\($0) \($1)" }.joined(separator: ", ") }
}
