public import OrderBook
import Store

// How rows are named in a difference: in ticks and lots, as they stand in the tables.

extension Outcome {
    var summary: String {
        "\(code.name), filled \(filled.rawValue), remaining \(remaining.rawValue), dropped \(dropped.rawValue), notional \(notional.rawValue)"
    }
}

extension Trade {
    var summary: String {
        "seq \(seq.rawValue), time \(time.rawValue), taker \(takerOrder) \(takerSide) of \(takerUser.rawValue), maker \(makerOrder) of \(makerUser.rawValue), price \(price.rawValue), amount \(amount.rawValue), best bid \(bestBid?.rawValue ?? 0), best ask \(bestAsk?.rawValue ?? 0)"
    }
}

extension RestingOrder {
    var summary: String {
        "\(side) of \(user.rawValue), price \(price.rawValue), amount \(amount.rawValue), filled \(filled.rawValue), dropped \(dropped.rawValue), notional \(notional.rawValue), priority \(priority.rawValue)"
    }
}

extension ClosedRow {
    var summary: String {
        "seq \(seq.rawValue), reason \(reason), price \(price.rawValue), amount \(amount.rawValue), filled \(filled.rawValue), dropped \(dropped.rawValue), notional \(notional.rawValue)"
    }
}

extension Candle {
    var summary: String {
        "open \(open.rawValue), high \(high.rawValue), low \(low.rawValue), close \(close.rawValue), volume \(volume), notional \(notional.rawValue), \(trades) trades \(firstTrade.rawValue) to \(lastTrade.rawValue), bought \(takerBuyVolume) for \(takerBuyNotional.rawValue)"
    }
}

extension Digest {
    /// 64 hexadecimal digits.
    public var hex: String {
        bytes.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
}
