import MarketData
import NIOCore
import OrderBook
import Store
import Wire

/// Turns what the feed found into frames, once for all clients.
struct MarketPublisher: MarketDataSink {
    let directory: MarketDirectory
    let hub: Hub
    let tracker: OrderTracker
    let metrics: GatewayMetrics
    let limits: GatewayLimits

    var isEager: Bool { hub.hasFollowers || tracker.needsFeed }

    func publish(_ updates: [MarketUpdate]) {
        var frames: [MarketFrames] = []
        for update in updates {
            guard let entry = directory.update(update) else { continue }
            frames.append(
                MarketFrames(
                    security: entry.market.symbol,
                    book: update.book.map { FrameBytes.text(BookMessage($0, in: entry)) },
                    trades: messages(update.trades, in: entry),
                    recent: TradesMessage(update.recentTrades.suffix(limits.tradesOnOpen), in: entry)))
            metrics.published(books: update.book == nil ? 0 : 1, trades: update.trades.count)
        }
        hub.publish(frames)
        tracker.marketsMoved(updates)
    }

    private func messages(_ trades: [ExecutedTrade], in entry: MarketDirectory.Entry) -> [ByteBuffer] {
        stride(from: 0, to: trades.count, by: limits.tradesPerMessageMax).map { start in
            FrameBytes.text(TradesMessage(trades[start...].prefix(limits.tradesPerMessageMax), in: entry))
        }
    }
}

extension BookMessage {
    /// - Parameter depth: at most so many levels per side.
    init(_ snapshot: BookSnapshot, in entry: MarketDirectory.Entry, depth: Int = .max) {
        let level = { (level: BookLevel) in BookMessage.Level(price: level.price, amount: level.amount) }
        self.init(
            security: entry.market.symbol, units: entry.units, seq: snapshot.book.seq, prevSeq: snapshot.prevSeq,
            bids: snapshot.book.bids.prefix(depth).map(level), asks: snapshot.book.asks.prefix(depth).map(level))
    }
}

/// The message has a `Trade` of its own.
typealias ExecutedTrade = Trade

extension TradesMessage {
    init(_ trades: some Sequence<ExecutedTrade>, in entry: MarketDirectory.Entry) {
        self.init(
            security: entry.market.symbol, units: entry.units,
            trades: trades.map {
                Trade(
                    id: $0.id, time: $0.time, user: $0.takerUser, side: $0.takerSide, price: $0.price, amount: $0.amount
                )
            })
    }
}
