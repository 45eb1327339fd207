import OrderBook
import Store

/// The trades of a market from a time on, one after another, a page of one chunk at a time.
struct StoredTrades {
    private let stored: StoredMarket
    private var spans: ArraySlice<Range<Timestamp>>
    private var page: [Trade] = []
    private var position = 0
    private var place = (time: Timestamp(Int64.min), id: TradeID(0))

    init(_ stored: StoredMarket, after horizon: Timestamp) throws {
        self.stored = stored
        spans = try stored.tradeSpans(after: horizon)[...]
    }

    mutating func next() throws -> Trade? {
        while position == page.count, let span = spans.first {
            page = try stored.trades(in: span, after: place, max: Verification.pageRows)
            position = 0
            if page.count < Verification.pageRows { spans.removeFirst() }
            if let last = page.last { place = (last.time, last.id) }
        }
        guard position < page.count else { return nil }
        defer { position += 1 }
        return page[position]
    }
}

/// The candles of a market beside those its trades give.
struct StoredCandles {
    private let stored: StoredMarket
    private var page: [Candle] = []
    private var position = 0
    private var lastTime = Timestamp(Int64.min)
    private var current: Candle?

    init(_ stored: StoredMarket) { self.stored = stored }

    /// - Returns: a difference, when a trade completes a candle that the table has otherwise.
    mutating func add(_ trade: Trade) throws -> String? {
        let candle = Candle(trade)
        guard let open = current else {
            current = candle
            return nil
        }
        if open.time == candle.time {
            try current!.append(candle)
            return nil
        }
        current = candle
        return try compare(open)
    }

    mutating func finish() throws -> String? {
        if let open = current, let difference = try compare(open) { return difference }
        return try next().map { "candle \($0.time.rawValue) stands in the table, but no trade gives it" }
    }

    private mutating func compare(_ wanted: Candle) throws -> String? {
        guard let row = try next() else { return "candle of \(wanted.time.rawValue) µs is missing" }
        if row == wanted { return nil }
        return row.time == wanted.time
            ? "candle of \(wanted.time.rawValue) µs: the table says \(row.summary), the trades give \(wanted.summary)"
            : "candle of \(wanted.time.rawValue) µs (\(wanted.summary)) is missing: the next is of \(row.time.rawValue) µs"
    }

    private mutating func next() throws -> Candle? {
        if position == page.count {
            page = try stored.candles(after: lastTime, max: Verification.pageRows)
            position = 0
            if let last = page.last { lastTime = last.time }
        }
        guard position < page.count else { return nil }
        defer { position += 1 }
        return page[position]
    }
}
