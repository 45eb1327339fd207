import NIOCore
import OrderBook
import Wire

/// What happened in one market, encoded once for every client.
struct MarketFrames: Sendable {
    var security: String
    /// The book, if it changed.
    var book: ByteBuffer?
    /// The trades since the last time, in messages of a bounded size.
    var trades: [ByteBuffer]
    /// The last trades, for clients that open or subscribe later.
    var recent: TradesMessage
}
