import OrderBook
import Postgres

/// Where rows stand that batch after batch changes: the minute that runs, and an order that is filled bit by bit.
///
/// While anybody keeps an old snapshot every version of such a row stays, and whoever looks it up by its index walks
/// through all of them. Who remembers where the last one was put goes straight to it. A place that does not hold any more
/// undoes the transaction like everything else that memory has wrong.
public final class RowPlaces {
    enum Asked {
        case candle(market: Int16, time: Timestamp)
        case order(OrderID)
    }

    private var candles: [Int16: (time: Timestamp, place: String)] = [:]
    private var orders: [OrderID: String] = [:]
    /// Which results of the pipeline under way tell a place.
    private var asked: [(result: Int, row: Asked)] = []

    public init() {}

    /// Nothing of the last transaction holds.
    public func forget() {
        candles = [:]
        orders = [:]
        asked = []
    }

    func begin() { asked = [] }

    func candle(_ market: Int16, _ time: Timestamp) -> String? {
        guard let known = candles[market], known.time == time else { return nil }
        return known.place
    }

    func order(_ id: OrderID) -> String? { orders.isEmpty ? nil : orders[id] }

    /// The row moves, and nobody says where to.
    func moved(candleOf market: Int16) { candles[market] = nil }
    func moved(_ id: OrderID) { if !orders.isEmpty { orders[id] = nil } }

    func ask(_ row: Asked, in result: Int) { asked.append((result, row)) }

    /// Learns from what the pipeline returned, once it is committed.
    func learn(_ results: [Rows]) throws {
        for (result, row) in asked {
            guard let place = try results[result].first?.decode(String?.self, at: 0) else { continue }
            switch row {
            case .candle(let market, let time): candles[market] = (time, place)
            case .order(let id):
                if orders.count >= rowPlacesMax { orders = [:] }
                orders[id] = place
            }
        }
        asked = []
    }
}

/// Orders whose places are remembered, about 100 bytes each.
let rowPlacesMax = 4_096
/// So many rows of the book are updated one by one, by their places; more of them by one statement.
let placedRowsMax = 4
