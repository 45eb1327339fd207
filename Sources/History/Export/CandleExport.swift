public import OrderBook
public import Store

/// Candles as files.
public struct CandleExport: Sendable {
    public var interval: CandleInterval
    public var fill: String
    /// Buckets that begin in [from, to); nil: from the first, to the last that has ended.
    public var from: Timestamp?
    public var to: Timestamp?
    /// Also the bucket that goes on.
    public var includesOpen: Bool
    public var latestFirst: Bool
    public var layout: CandleLayout
    public var target: ExportTarget

    public init(
        _ layout: CandleLayout, interval: CandleInterval, target: ExportTarget, fill: String = "none",
        from: Timestamp? = nil, to: Timestamp? = nil, includesOpen: Bool = false, latestFirst: Bool? = nil
    ) {
        self.layout = layout
        self.interval = interval
        self.target = target
        self.fill = fill
        self.from = from
        self.to = to
        self.includesOpen = includesOpen
        self.latestFirst = latestFirst ?? layout.latestFirst
    }

    /// Exports the candles of some markets, one market after the other, as they are at one moment.
    /// - Parameter onProgress: called with the rows written so far; throwing ends the export.
    /// - Returns: the files, which have their names; after an error none has.
    public func run(
        _ connection: StoreConnection, _ markets: [MarketHistory], onProgress: (Int) throws -> Void = { _ in }
    ) throws -> [ExportedFile] {
        guard markets.count <= 1 || (target.split == nil && layout.namesMarket) else {
            throw HistoryError(
                .usage,
                target.split == nil
                    ? "this format does not name the market of a line; name one market"
                    : "a split export is of one market; name it")
        }
        var writer = RecordWriter(layout.record, target: target)
        do {
            for market in markets {
                try export(market, connection, &writer, onProgress)
            }
            var files = try writer.finish()
            for market in markets { try tellTrades(market, connection, &files) }
            return files
        } catch {
            writer.discard()
            throw error
        }
    }

    private func export(
        _ market: MarketHistory, _ connection: StoreConnection, _ writer: inout RecordWriter,
        _ onProgress: (Int) throws -> Void
    ) throws {
        guard let range = try range(of: market, connection) else { return }
        var day: Int64?
        let pair = CandleLayout.Market(market.symbol)
        let identity = (symbol: market.symbol, pair: "\(pair.base)/\(pair.quote)")
        try connection.streamCandles(
            market.symbol, interval.rawValue, from: range.from, to: range.to, fill: fill, latestFirst: latestFirst
        ) { candle in
            if layout.isOfOneDay, target.split != .day {
                let candleDay = floor(candle.time.rawValue, by: TimeWriter.dayMicroseconds)
                guard day == nil || day == candleDay else {
                    throw HistoryError(
                        .usage, "lean keeps each day in a file of its own: add --split day, or ask for one day")
                }
                day = candleDay
            }
            try writer.write(layout.fields.map { value($0, candle, identity) }, time: candle.time.rawValue)
            if writer.rows % 1000 == 0 { try onProgress(writer.rows) }
        }
    }

    /// What was asked for, as far as there are candles that have ended; nil where that is nothing.
    public func range(of market: MarketHistory, _ connection: StoreConnection) throws -> (
        from: Timestamp, to: Timestamp
    )? {
        guard let span = market.span else { return nil }
        var end = to
        if !includesOpen {
            guard let closed = try connection.candlesClosedUntil(market.symbol, interval.rawValue) else { return nil }
            end = min(closed, to ?? closed)
        }
        // Without an end that was asked for, nothing is filled behind the last trade.
        if to == nil { end = min(end ?? span.to, span.to) }
        // A bucket that holds the first trade may begin long before it.
        let start = from ?? span.from - 32 * TimeWriter.dayMicroseconds
        guard let end, start < end else { return nil }
        return (start, end)
    }

    /// Finds the first and last trade of each file.
    private func tellTrades(
        _ market: MarketHistory, _ connection: StoreConnection, _ files: inout [ExportedFile]
    ) throws {
        guard let range = try range(of: market, connection) else { return }
        for index in files.indices where files[index].rows > 0 {
            let period = files[index].period ?? range.from.rawValue..<range.to.rawValue
            let trades = try connection.candleTrades(
                market.symbol, interval.rawValue, from: max(range.from, Timestamp(period.lowerBound)),
                to: min(range.to, Timestamp(period.upperBound)))
            let ends = latestFirst ? (trades.last, trades.first) : (trades.first, trades.last)
            files[index].firstTrade = files[index].firstTrade ?? ends.0
            files[index].lastTrade = ends.1 ?? files[index].lastTrade
        }
    }

    // MARK: values

    private func value(
        _ field: CandleField, _ candle: CandleRecord, _ market: (symbol: String, pair: String)
    ) -> ExportValue {
        switch field {
        case .column(let column): value(column, candle, market.symbol)
        case .time(let style): timeValue(candle.time.rawValue, style)
        case .closeTime: closeTime(candle.time.rawValue)
        case .pair: .text(market.pair)
        case .zero: .number("0")
        }
    }

    private func value(_ column: CandleColumn, _ candle: CandleRecord, _ symbol: String) -> ExportValue {
        switch column {
        case .time: timeValue(candle.time.rawValue, layout.time)
        case .symbol: .text(symbol)
        case .open: number(candle.open)
        case .high: number(candle.high)
        case .low: number(candle.low)
        case .close: number(candle.close)
        case .volume: number(candle.volume)
        case .quoteVolume: number(candle.quoteVolume)
        case .trades: .number("\(candle.trades)")
        case .vwap: number(candle.vwap)
        case .takerBuyVolume: number(candle.takerBuyVolume)
        case .takerBuyQuoteVolume: number(candle.takerBuyQuoteVolume)
        }
    }

    /// What a filled bucket does not have is 0, as exchanges publish it.
    private func number(_ value: StoreDecimal?) -> ExportValue { .number(value.map { "\($0)" } ?? "0") }

    private func timeValue(_ time: Int64, _ style: TimeStyle) -> ExportValue {
        var bytes = [UInt8](repeating: 0, count: ExportLimits.timeBytesMax)
        var at = 0
        var writer = TimeWriter(style, hasMicroseconds: interval.seconds.map { $0 < 1 } ?? false)
        do {
            var span = bytes.mutableSpan
            var out = span.mutableBytes
            writer.put(time, &out, &at)
        }
        let text = String(decoding: bytes[..<at], as: UTF8.self)
        return style.isNumber ? .number(text) : .text(text)
    }

    private func closeTime(_ time: Int64) -> ExportValue {
        let end = interval.seconds.map { time + $0 * 1_000_000 } ?? ExportTarget.Split.month.period(of: time).end
        switch layout.time {
        case .seconds: return .number("\(end / 1_000_000 - 1)")
        case .microseconds: return .number("\(end - 1)")
        // Beyond the year 2262 nanoseconds need more than 64 bits.
        case .nanoseconds: return .number("\(Int128(end) * 1000 - 1)")
        default: return .number("\(end / 1000 - 1)")
        }
    }
}
