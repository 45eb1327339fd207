public import OrderBook

/// Trades of one market, in the order in which they happened.
public struct TradesMessage: ServerMessage, Hashable {
    public struct Trade: Hashable, Sendable {
        /// The market's trade number.
        public var id: TradeID
        public var time: Timestamp
        /// The taker.
        public var user: UserID
        /// The taker's side.
        public var side: Side
        public var price: PriceTicks
        public var amount: AmountLots

        public init(
            id: TradeID, time: Timestamp, user: UserID, side: Side, price: PriceTicks, amount: AmountLots
        ) {
            self.id = id
            self.time = time
            self.user = user
            self.side = side
            self.price = price
            self.amount = amount
        }
    }

    public var security: String
    public var units: MarketUnits
    public var trades: [Trade]

    public init(security: String, units: MarketUnits, trades: [Trade]) {
        self.security = security
        self.units = units
        self.trades = trades
    }

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("type")
        writer.string("trades")
        writer.key("trades")
        writer.beginArray()
        for trade in trades { write(trade, to: &writer) }
        writer.endArray()
        writer.endObject()
    }

    private func write(_ trade: Trade, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("userId")
        writer.string(trade.user.rawValue)
        writer.key("security")
        writer.string(security)
        writer.key("time")
        writer.integer(trade.time.unixMilliseconds)
        writer.key("price")
        writer.price(trade.price, units)
        writer.key("amount")
        writer.amount(trade.amount, units)
        writer.key("total")
        writer.total(Notional(price: trade.price, amount: trade.amount), units)
        writer.key("id")
        writer.integer(trade.id.rawValue)
        writer.key("side")
        writer.string(trade.side.name)
        writer.endObject()
    }
}

extension Timestamp {
    /// Whole milliseconds since the Unix epoch, rounded down.
    public var unixMilliseconds: Int64 {
        rawValue / 1000 - (rawValue % 1000 < 0 ? 1 : 0)
    }
}
