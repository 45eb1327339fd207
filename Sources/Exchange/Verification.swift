public import OrderBook
public import Store

/// Proves M2–M5 on a live database: replays a market's log by `seq` into an empty `OrderBook` and compares every
/// outcome, trade, closed order, candle, the book and the state with what the tables hold.
///
/// All of it is read in one repeatable-read transaction, page by page, while others go on trading. It writes nothing.
public struct Verification {
    /// Something the tables say that the log does not give.
    public struct Difference: Hashable, Sendable, CustomStringConvertible {
        public var market: String
        /// Which promise is broken: `M1` to `M5`, or `candles`.
        public var rule: String
        /// One line that names the row and both values.
        public var description: String

        public init(market: String, rule: String, description: String) {
            self.market = market
            self.rule = rule
            self.description = description
        }
    }

    public struct Report: Sendable {
        public var market: String
        public var commands: Int64 = 0
        public var trades: Int64 = 0
        public var restingOrders: Int64 = 0
        public var digest: Digest = .zero
        /// Trades of the log that were dropped from the table, so that no row can be compared; counted in `trades` too.
        public var uncheckedTrades: Int64 = 0
        /// The first difference of each kind; empty when all is proved.
        public var differences: [Difference] = []

        public init(market: String) { self.market = market }
    }

    /// Rows per page.
    static let pageRows = 5_000

    private let connection: StoreConnection
    private let onProgress: (Report) -> Void

    /// - Parameter onProgress: called after each page with what was done so far.
    public init(_ connection: StoreConnection, onProgress: @escaping (Report) -> Void = { _ in }) {
        self.connection = connection
        self.onProgress = onProgress
    }

    public func run(_ market: Market) throws -> Report {
        try connection.readHoldingTrades { connection in
            var replay = try MarketReplay(
                StoredMarket(connection, market: market), horizon: connection.tradeHorizon())
            do {
                try replay.run(onProgress)
            } catch {
                guard isFaultOfRows(error) else { throw error }
                replay.cannotRead("\(error)")
            }
            return replay.report
        }
    }
}

/// The replay of one market beside its tables.
private struct MarketReplay {
    private let stored: StoredMarket
    private var book: OrderBook
    private var trades: StoredTrades
    private var candles: StoredCandles
    private var closedCount: Int64 = 0
    /// Trades before it were dropped.
    private let horizon: Timestamp
    /// Candles leave them out.
    private let busted: Set<TradeID>
    /// Lots of the trades that were dropped.
    private var droppedLots: Int128 = 0
    var report: Verification.Report

    init(_ stored: StoredMarket, horizon: Timestamp) throws {
        self.stored = stored
        self.horizon = horizon
        busted = try stored.bustedTrades()
        trades = try StoredTrades(stored, after: horizon)
        candles = StoredCandles(stored)
        book = OrderBook(state: MarketState(), completeness: .complete, limits: stored.market.limits)
        report = Verification.Report(market: stored.market.symbol)
    }

    mutating func run(_ onProgress: (Verification.Report) -> Void) throws {
        let state = try stored.state()
        while true {
            let page = try stored.executions(after: book.state.seq, max: Verification.pageRows)
            guard !page.isEmpty, try replay(page) else { break }
            try compareClosed()
            _ = book.takeChanges()
            onProgress(report)
        }
        if let extra = try trades.next() {
            differ("M5", "trade \(extra.id.rawValue) (\(extra.summary)) stands in the table, but no command gives it")
        }
        try candles.finish().map { differ("candles", $0) }
        try compareClosedCount()
        try compareBook()
        compare(state)
        try checkInbox()
        try checkFills()
        report.restingOrders = Int64(book.orderCount)
        report.digest = book.state.digest
    }

    /// A row that no order, trade or candle could have written.
    mutating func cannotRead(_ words: String) {
        differ("rows", "after seq \(book.state.seq.rawValue) a row cannot be read: \(words)")
    }

    /// The first difference of a kind is the one that tells; what follows mostly follows from it.
    private mutating func differ(_ rule: String, _ description: String) {
        guard !report.differences.contains(where: { $0.rule == rule }) else { return }
        report.differences.append(
            Verification.Difference(market: stored.market.symbol, rule: rule, description: description))
    }

    /// - Returns: false when the log cannot be replayed further.
    private mutating func replay(_ page: [StoredExecution]) throws -> Bool {
        for row in page {
            let expected = book.state.seq.rawValue + 1
            guard row.seq.rawValue == expected else {
                differ(
                    "M4", "seq \(expected) is missing: the next outcome is seq \(row.seq.rawValue), command \(row.id)")
                return false
            }
            guard let command = row.command else {
                differ(
                    "M5",
                    row.fault.map { "seq \(expected): command \(row.id) cannot be read: \($0)" }
                        ?? "seq \(expected): the log has no command \(row.id)")
                return false
            }
            let firstTrade = book.journal.trades.count
            // Which client order ids were used is not this market's matter alone.
            let isDuplicate = row.outcome?.code == .duplicate && command.clientOrderID != nil
            let outcome = book.execute(
                command, isLate: row.outcome?.code == .late, isDuplicate: isDuplicate)
            report.commands += 1
            try compare(row, outcome)
            try compareTrades(from: firstTrade)
            if book.bestPrice(.bid).map({ bid in book.bestPrice(.ask).map { bid >= $0 } ?? false }) ?? false {
                differ("M2", "seq \(expected): the book is crossed")
            }
        }
        return true
    }

    private mutating func compare(_ row: StoredExecution, _ outcome: Outcome) throws {
        if row.outcome != outcome {
            differ(
                "M5",
                "seq \(row.seq.rawValue), command \(row.id): the table says \(row.outcome?.summary ?? "an unknown code"), the log gives \(outcome.summary)"
            )
        } else if row.digestHead != book.state.digest.words.0 {
            differ(
                "M5",
                "seq \(row.seq.rawValue), command \(row.id): its digest differs, so this or its place in the log was changed"
            )
        }
    }

    private mutating func compareTrades(from first: Int) throws {
        for trade in book.journal.trades[first...] {
            report.trades += 1
            if !busted.contains(trade.id) { try candles.add(trade).map { differ("candles", $0) } }
            if trade.time < horizon {
                report.uncheckedTrades += 1
                droppedLots += Int128(trade.amount.rawValue)
                continue
            }
            guard let row = try trades.next() else {
                differ("M5", "trade \(trade.id.rawValue) (\(trade.summary)) is missing in the table")
                continue
            }
            if row.id != trade.id {
                differ(
                    "M4",
                    "trade \(trade.id.rawValue) (\(trade.summary)) is missing: the next is trade \(row.id.rawValue)")
            } else if row != trade {
                differ(
                    "trades",
                    "trade \(trade.id.rawValue): the table says \(row.summary), the log gives \(trade.summary)")
            }
        }
    }

    private mutating func compareClosed() throws {
        let closed = book.takeJournal().closed
        closedCount += Int64(closed.count)
        let rows = Dictionary(try stored.closed(closed.map(\.order.id)).map { ($0.id, $0) }) { first, _ in first }
        for order in closed {
            let wanted = ClosedRow(order)
            guard let row = rows[wanted.id] else {
                differ(
                    "closed", "order \(wanted.id) left the book at seq \(wanted.seq.rawValue), but has no row in closed"
                )
                continue
            }
            if row != wanted {
                differ("closed", "order \(wanted.id): the table says \(row.summary), the log gives \(wanted.summary)")
            }
        }
    }

    private mutating func compareClosedCount() throws {
        let count = try stored.closedCount()
        if count != closedCount {
            differ("closed", "the table has \(count) closed orders, the log gives \(closedCount)")
        }
    }

    private mutating func compareBook() throws {
        for side in Side.allCases {
            var wanted = book.orders(side).makeIterator()
            var place: (price: PriceTicks, priority: Seq)?
            while true {
                let page = try stored.book(side, beyond: place, max: Verification.pageRows)
                for row in page {
                    guard let order = wanted.next() else {
                        differ(
                            "book",
                            "order \(row.id) (\(row.summary)) stands in the book, but the log leaves no such order")
                        return
                    }
                    guard row != order else { continue }
                    differ(
                        "book",
                        row.id == order.id
                            ? "order \(row.id): the book says \(row.summary), the log gives \(order.summary)"
                            : "order \(order.id) (\(order.summary)) is missing in the book: \(row.id) stands at its place"
                    )
                    return
                }
                guard let last = page.last else { break }
                place = (last.price, last.priority)
            }
            if let order = wanted.next() {
                differ("book", "order \(order.id) (\(order.summary)) is missing in the book")
            }
        }
    }

    private mutating func compare(_ state: MarketState) {
        let replayed = book.state
        let fields: [(String, String, String)] = [
            ("seq", "\(state.seq.rawValue)", "\(replayed.seq.rawValue)"),
            ("trade_id", "\(state.tradeID.rawValue)", "\(replayed.tradeID.rawValue)"),
            ("last_price", "\(state.lastPrice?.rawValue ?? 0)", "\(replayed.lastPrice?.rawValue ?? 0)"),
            ("clock", "\(state.clock.rawValue)", "\(replayed.clock.rawValue)"),
            ("is_halted", "\(state.isHalted)", "\(replayed.isHalted)"),
            ("digest", state.digest.hex, replayed.digest.hex),
        ]
        for (name, stored, wanted) in fields where stored != wanted {
            differ("state", "market_state.\(name) is \(stored), the log gives \(wanted)")
        }
    }

    private mutating func checkInbox() throws {
        if let id = try stored.lostCommand() {
            differ("M1", "command \(id) neither waits in the inbox nor has an outcome")
        }
        if let id = try stored.commandWaitingTwice() {
            differ("M1", "command \(id) waits in the inbox although it was executed")
        }
    }

    private mutating func checkFills() throws {
        let fills = try stored.fills()
        if fills.unbalancedOrders > 0 {
            differ("M3", "\(fills.unbalancedOrders) orders whose amount is not filled + remaining + dropped")
        }
        let traded = fills.traded + droppedLots
        if traded != fills.taken {
            differ("M3", "trades sum to \(traded) lots, what takers filled to \(fills.taken)")
        }
        if fills.filled != 2 * traded {
            differ("M3", "orders were filled by \(fills.filled) lots, twice the trades is \(2 * traded)")
        }
    }
}
