import OrderBook

extension OrderID {
    /// A UUIDv7: 48 bits of Unix milliseconds, the version, 74 random bits.
    static func random(_ time: Timestamp) -> OrderID {
        let milliseconds = UInt64(clamping: time.rawValue / 1000)
        let high = milliseconds << 16 | 0x7000 | UInt64.random(in: 0...0xFFF)
        let low = 0x8000_0000_0000_0000 | UInt64.random(in: 0...0x3FFF_FFFF_FFFF_FFFF)
        return OrderID(high: high, low: low)
    }
}
