import OrderBook
import Store

/// When a matcher enters the command that lets a quiet market's orders expire.
///
/// A node alone does it when the time has come. In a cluster all nodes see the same orders, so they take turns: the first
/// by name at once, the next only if nothing came of it. It is asked for again only when the one before should have been
/// executed long ago.
struct ExpiryEntries {
    private struct Entered {
        var expiry: Timestamp
        var at: Timestamp
    }

    /// Microseconds that a command takes beyond the window, at the most.
    private static let delayMax: Int64 = 1_000_000

    private var last: [MarketNumber: Entered] = [:]

    /// The earliest time at which this node shall enter it.
    func moment(for expiry: Timestamp, of market: MarketNumber, in cluster: DueMarkets.Cluster?) -> Timestamp {
        guard let cluster else { return expiry }
        let turn = cluster.window + Self.delayMax
        let first = expiry + Int64(cluster.rank) * turn
        guard let last = last[market], last.expiry == expiry else { return first }
        return max(first, last.at + 2 * turn)
    }

    mutating func entered(_ expiry: Timestamp, of market: MarketNumber, at now: Timestamp) {
        last[market] = Entered(expiry: expiry, at: now)
    }
}
