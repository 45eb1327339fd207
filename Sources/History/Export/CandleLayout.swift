/// The columns of exported candles.
public enum CandleColumn: String, CaseIterable, Sendable {
    case time, symbol, open, high, low, close, volume
    case quoteVolume = "quote_volume"
    case trades, vwap
    case takerBuyVolume = "taker_buy_volume"
    case takerBuyQuoteVolume = "taker_buy_quote_volume"
}

/// What stands in a column of some format.
enum CandleField: Hashable, Sendable {
    case column(CandleColumn)
    /// The last moment of the bucket, in whole units of the time style.
    case closeTime
    /// The bucket's beginning in another style than the format's own.
    case time(TimeStyle)
    /// Base and quote with a slash between.
    case pair
    case zero
}

/// A format of candles: which columns, how called, how times are written, and which comes first.
public struct CandleLayout: Sendable {
    var fields: [CandleField]
    var record: RecordLayout
    var time: TimeStyle
    public var latestFirst = false
    /// A file holds one day only, whose date stands nowhere in it.
    var isOfOneDay = false

    /// - Parameters:
    ///   - columns: instead of the format's; csv, json and ndjson only.
    ///   - time: instead of the format's, where its reader understands others.
    ///   - symbol: the market, of which some formats name base and quote.
    public init(
        _ format: ExportFormat, interval: CandleInterval, columns: [CandleColumn]?, time: TimeStyle?, symbol: String?
    ) throws(HistoryError) {
        let own: Set<ExportFormat> = [.csv, .json, .ndjson]
        if columns != nil, !own.contains(format) {
            throw HistoryError(
                .usage, "--columns goes with csv, json and ndjson; \(format.rawValue) has columns of its own")
        }
        if let time {
            guard own.union([.binance, .backtrader, .tradingview]).contains(format) else {
                throw HistoryError(
                    .usage, "--time does not go with \(format.rawValue), whose readers expect its own times")
            }
            guard format != .binance || time.isNumber else {
                throw HistoryError(.usage, "binance's times are numbers: use --time ms, us, s or ns")
            }
        }
        self.init(format, interval, columns ?? CandleColumn.allCases, Market(symbol))
        if let time { self.time = time }
    }

    private init(_ format: ExportFormat, _ interval: CandleInterval, _ columns: [CandleColumn], _ market: Market) {
        let candle: [CandleField] = [CandleColumn.open, .high, .low, .close, .volume].map { .column($0) }
        let dated = [CandleField.column(.time)] + candle
        switch format {
        case .csv, .json, .ndjson:
            let shape: RecordLayout.Shape = format == .csv ? .csv : format == .json ? .json : .ndjson
            self.init(
                columns.map { .column($0) }, RecordLayout(columns: columns.map(\.rawValue), shape: shape), time: .iso)
        case .binance:
            self.init(
                dated + [
                    .closeTime, .column(.quoteVolume), .column(.trades), .column(.takerBuyVolume),
                    .column(.takerBuyQuoteVolume), .zero,
                ],
                RecordLayout(columns: [], shape: .csv, heading: []), time: .milliseconds)
        case .ccxt: self.init(dated, RecordLayout(columns: [], shape: .arrays), time: .milliseconds)
        case .freqtrade:
            self.init(dated, Self.headed("date,open,high,low,close,volume"), time: .pattern("%Y-%m-%d %H:%M:%S+00:00"))
        case .kraken:
            self.init(
                dated + [.column(.trades)], RecordLayout(columns: [], shape: .csv, heading: []), time: .seconds)
        case .cryptodatadownload:
            self.init(
                [.time(.seconds), .column(.time), .pair] + candle + [.column(.quoteVolume)],
                Self.headed(
                    "unix,date,symbol,open,high,low,close,Volume \(market.base),Volume \(market.quote)",
                    after: "https://www.CryptoDataDownload.com"), time: .pattern("%Y-%m-%d %H:%M:%S"))
            latestFirst = true
        case .backtrader:
            self.init(
                dated + [.zero], Self.headed("datetime,open,high,low,close,volume,openinterest"),
                time: .pattern("%Y-%m-%d %H:%M:%S"))
        case .lean:
            let isShort = interval.seconds.map { $0 < 3600 } ?? false
            self.init(
                dated, RecordLayout(columns: [], shape: .csv, heading: []),
                time: isShort ? .millisecondsOfDay : .pattern("%Y%m%d %H:%M"))
            isOfOneDay = isShort
        case .tradingview: self.init(dated, Self.headed("time,open,high,low,close,Volume"), time: .seconds)
        }
    }

    private init(_ fields: [CandleField], _ record: RecordLayout, time: TimeStyle) {
        self.fields = fields
        self.record = record
        self.time = time
    }

    private static func headed(_ line: String, after first: String? = nil) -> RecordLayout {
        RecordLayout(columns: [], shape: .csv, heading: (first.map { [$0] } ?? []) + [line])
    }

    /// Whether each line names its market, so that several may follow each other.
    public var namesMarket: Bool { fields.contains(.column(.symbol)) }

    /// Base and quote of a symbol such as BTC-USD.
    struct Market {
        var base: String
        var quote: String

        init(_ symbol: String?) {
            let parts = (symbol ?? "").split { "-/_:".contains($0) }
            base = parts.count == 2 ? String(parts[0]) : symbol ?? "base"
            quote = parts.count == 2 ? String(parts[1]) : "quote"
        }
    }
}
