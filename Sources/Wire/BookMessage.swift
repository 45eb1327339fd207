public import OrderBook

/// The aggregated book of one market: per price what rests there, best first.
public struct BookMessage: ServerMessage, Hashable {
    public struct Level: Hashable, Sendable {
        public var price: PriceTicks
        public var amount: AmountLots
        public init(price: PriceTicks, amount: AmountLots) {
            self.price = price
            self.amount = amount
        }
    }

    public var security: String
    public var units: MarketUnits
    /// The market's execution number this book stands at.
    public var seq: Seq
    /// The `seq` of the book sent before this one; a client that has another one missed a book.
    public var prevSeq: Seq
    public var bids: [Level]
    public var asks: [Level]

    public init(security: String, units: MarketUnits, seq: Seq, prevSeq: Seq, bids: [Level], asks: [Level]) {
        self.security = security
        self.units = units
        self.seq = seq
        self.prevSeq = prevSeq
        self.bids = bids
        self.asks = asks
    }

    /// How many levels of each side the checksum covers.
    public static let checksumLevels = 10

    /// CRC-32 (as in zlib) of the ASCII text `price:amount` of bid 1, ask 1, bid 2, ask 2 … of the best ten levels of
    /// each side, joined by `:`, with the digits that the message carries. Where one side has fewer levels its places are
    /// left out; the text of an empty book is empty and its checksum 0.
    public var checksum: UInt32 {
        var text: [UInt8] = []
        for index in 0..<Self.checksumLevels {
            for side in [bids, asks] where index < side.count {
                if !text.isEmpty { text.append(UInt8(ascii: ":")) }
                units.append(side[index].price, to: &text)
                text.append(UInt8(ascii: ":"))
                units.append(side[index].amount, to: &text)
            }
        }
        return CRC32.checksum(of: text)
    }

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("type")
        writer.string("aggOrderBook")
        writer.key("security")
        writer.string(security)
        writer.key("seq")
        writer.integer(seq.rawValue)
        writer.key("prevSeq")
        writer.integer(prevSeq.rawValue)
        writer.key("checksum")
        writer.integer(Int64(checksum))
        writer.key("aggOrderBook")
        writer.beginObject()
        writer.key("ask")
        write(asks, to: &writer)
        writer.key("bid")
        write(bids, to: &writer)
        writer.endObject()
        writer.endObject()
    }

    private func write(_ levels: [Level], to writer: inout JSONWriter) {
        writer.beginArray()
        for level in levels {
            writer.beginObject()
            writer.key("price")
            writer.price(level.price, units)
            writer.key("amount")
            writer.amount(level.amount, units)
            writer.key("total")
            writer.total(Notional(price: level.price, amount: level.amount), units)
            writer.endObject()
        }
        writer.endArray()
    }
}

/// CRC-32 of IEEE 802.3, reflected, as zlib computes it.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }

    static func checksum(of bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { value, byte in
            table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ value >> 8
        }
    }
}
