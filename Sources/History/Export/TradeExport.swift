public import OrderBook
public import Store
import Synchronization

/// Trades as CSV or JSON: read as binary COPY on the caller's thread, formatted and written on another.
///
///     let export = TradeExport(target: ExportTarget(path: "trades.csv"))
///     let files = try export.run(connection, try connection.marketHistories(named: "BTC-USD"))
public struct TradeExport: Sendable {
    public var columns = TradeColumn.allCases
    public var shape = RowShape.csv
    public var time = TimeStyle.iso
    public var latestFirst = false
    /// Trades in [from, to); nil: from the first, to the last.
    public var from: Timestamp?
    public var to: Timestamp?
    public var target: ExportTarget

    public init(target: ExportTarget) { self.target = target }

    /// Exports the trades of some markets, one market after the other, as they are at one moment.
    /// - Parameter onProgress: called now and then with the rows written so far; throwing ends the export.
    /// - Returns: the files, which have their names; after an error none has.
    public func run(
        _ connection: StoreConnection, _ markets: [MarketHistory], onProgress: (Int) throws -> Void = { _ in }
    ) throws -> [ExportedFile] {
        guard target.split == nil || markets.count == 1 else {
            throw HistoryError(.usage, "a split export is of one market; name it")
        }
        let formatter = SharedFormatter(
            TradeFormatter(columns, shape: shape, time: time, target: target))
        do {
            for market in markets {
                guard let (start, end) = range(of: market) else { continue }
                formatter.state.withLock { $0.begin(market) }
                try connection.copyTrades(
                    market.number, from: start, to: end, latestFirst: latestFirst,
                    onBlock: { try onProgress(formatter.rows.load(ordering: .relaxed)) },
                    consumeOnThread: { try formatter.format($0) })
            }
            return try formatter.state.withLock { try $0.finish() }
        } catch {
            formatter.state.withLock { $0.discard() }
            throw error
        }
    }

    /// What was asked for of where the market has trades; nil where that is nothing.
    public func range(of market: MarketHistory) -> (from: Timestamp, to: Timestamp)? {
        guard let span = market.span else { return nil }
        let start = max(span.from, from ?? span.from)
        let end = min(span.to, to ?? span.to)
        return start < end ? (start, end) : nil
    }
}

/// The formatter, which the thread that formats and the one that begins and ends take turns with.
private final class SharedFormatter: Sendable {
    let state: Mutex<TradeFormatter>
    let rows = Atomic<Int>(0)

    init(_ formatter: consuming sending TradeFormatter) { state = Mutex(formatter) }

    func format(_ block: [UInt8]) throws {
        let count = try state.withLock { formatter in
            try formatter.format(block)
            return formatter.rows
        }
        rows.store(count, ordering: .relaxed)
    }
}
