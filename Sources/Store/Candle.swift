public import OrderBook

/// What one minute of trading adds to its candle. Prices in ticks, sums in lots and ticks × lots.
public struct Candle: Hashable, Sendable {
    /// The beginning of the minute, UTC.
    public var time: Timestamp
    public var open: PriceTicks
    public var high: PriceTicks
    public var low: PriceTicks
    public var close: PriceTicks
    /// Lots; more than 64 bits, for it is a sum.
    public var volume: Int128
    public var notional: Notional
    public var trades: Int64
    public var firstTrade: TradeID
    public var lastTrade: TradeID
    /// The part of `volume` whose taker bought.
    public var takerBuyVolume: Int128
    public var takerBuyNotional: Notional

    public init(
        time: Timestamp, open: PriceTicks, high: PriceTicks, low: PriceTicks, close: PriceTicks, volume: Int128,
        notional: Notional, trades: Int64, firstTrade: TradeID, lastTrade: TradeID, takerBuyVolume: Int128,
        takerBuyNotional: Notional
    ) {
        self.time = time
        self.open = open
        self.high = high
        self.low = low
        self.close = close
        self.volume = volume
        self.notional = notional
        self.trades = trades
        self.firstTrade = firstTrade
        self.lastTrade = lastTrade
        self.takerBuyVolume = takerBuyVolume
        self.takerBuyNotional = takerBuyNotional
    }

    /// Microseconds.
    public static let minute: Int64 = 60_000_000

    /// The candle of one trade.
    public init(_ trade: Trade) {
        time = trade.time.floored(to: Self.minute)
        (open, high, low, close) = (trade.price, trade.price, trade.price, trade.price)
        volume = Int128(trade.amount.rawValue)
        notional = Notional(price: trade.price, amount: trade.amount)
        trades = 1
        (firstTrade, lastTrade) = (trade.id, trade.id)
        takerBuyVolume = trade.takerSide == .bid ? volume : 0
        takerBuyNotional = trade.takerSide == .bid ? notional : .zero
    }

    /// Appends a later candle of the same bucket.
    public mutating func append(_ later: Candle) throws(Overflow) {
        let (volume, volumeOverflow) = volume.addingReportingOverflow(later.volume)
        let (notional, notionalOverflow) = notional.rawValue.addingReportingOverflow(later.notional.rawValue)
        let (trades, tradesOverflow) = trades.addingReportingOverflow(later.trades)
        let (bought, boughtOverflow) = takerBuyVolume.addingReportingOverflow(later.takerBuyVolume)
        let (spent, spentOverflow) = takerBuyNotional.rawValue.addingReportingOverflow(later.takerBuyNotional.rawValue)
        guard !volumeOverflow, !notionalOverflow, !tradesOverflow, !boughtOverflow, !spentOverflow else {
            throw Overflow("the candle of \(time.postgres)")
        }
        high = max(high, later.high)
        low = min(low, later.low)
        close = later.close
        lastTrade = later.lastTrade
        self.volume = volume
        self.notional = Notional(rawValue: notional)
        self.trades = trades
        takerBuyVolume = bought
        takerBuyNotional = Notional(rawValue: spent)
    }

    /// The candles of trades in the order in which they happened: one per minute with a trade.
    public static func candles(of trades: [Trade]) throws(Overflow) -> [Candle] {
        var candles: [Candle] = []
        for trade in trades {
            let candle = Candle(trade)
            if candles.last?.time == candle.time {
                try candles[candles.count - 1].append(candle)
            } else {
                candles.append(candle)
            }
        }
        return candles
    }
}

extension Timestamp {
    /// The beginning of the span of a length, in microseconds, that holds it. The epoch begins one.
    public func floored(to length: Int64) -> Timestamp {
        let rest = rawValue % length
        return self - (rest < 0 ? rest + length : rest)
    }
}
