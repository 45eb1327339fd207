import OrderBook

extension Place {
    /// The choices are in one byte: side 1 bit, post-only 1, with a price 1, time in force 2, self-trade prevention 3.
    func write(to writer: inout ByteWriter) {
        var choices = side.rawValue
        if postOnly { choices |= 1 << 1 }
        if price != nil { choices |= 1 << 2 }
        choices |= timeInForce.code << 3
        choices |= (selfTradePrevention?.rawValue ?? 0) << 5
        writer.byte(choices)
        writer.small(amount.rawValue)
        if let price { writer.small(price.rawValue) }
        if case .gtd(let expires) = timeInForce { writer.word(expires.rawValue) }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        let choices = try reader.byte("an order's choices")
        let amount = try AmountLots(from: &reader)
        self.init(
            side: choices & 1 == 0 ? .bid : .ask,
            price: choices >> 2 & 1 == 0 ? nil : try PriceTicks(from: &reader), amount: amount,
            timeInForce: try TimeInForce(code: choices >> 3 & 3, from: &reader),
            postOnly: choices >> 1 & 1 == 1,
            selfTradePrevention: try SelfTradePrevention.read(code: choices >> 5))
    }
}

extension TimeInForce {
    fileprivate var code: UInt8 {
        switch self {
        case .gtc: 0
        case .ioc: 1
        case .fok: 2
        case .gtd: 3
        }
    }

    fileprivate init(code: UInt8, from reader: inout ByteReader) throws(CodecError) {
        switch code {
        case 0: self = .gtc
        case 1: self = .ioc
        case 2: self = .fok
        default: self = .gtd(expires: Timestamp(try reader.word("an order's expiry")))
        }
    }
}

extension SelfTradePrevention {
    fileprivate static func read(code: UInt8) throws(CodecError) -> SelfTradePrevention? {
        if code == 0 { return nil }
        guard let prevention = Self(rawValue: code) else {
            throw CodecError("self-trade prevention \(code) is unknown")
        }
        return prevention
    }
}

extension Side {
    init(from reader: inout ByteReader) throws(CodecError) {
        let code = try reader.byte("a side")
        guard let side = Side(rawValue: code) else { throw CodecError("side \(code) is unknown") }
        self = side
    }
}

extension AmountLots {
    init(from reader: inout ByteReader) throws(CodecError) { self.init(try reader.small("an amount")) }
}

extension PriceTicks {
    init(from reader: inout ByteReader) throws(CodecError) { self.init(try reader.small("a price")) }
}
