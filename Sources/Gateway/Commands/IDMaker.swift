import Foundation
import OrderBook

/// Ids that nobody else makes.
enum IDMaker {
    /// A UUIDv7: 48 bits of Unix milliseconds, the version, 74 random bits.
    static func orderID() -> OrderID {
        let milliseconds = UInt64(Date().timeIntervalSince1970 * 1000)
        let high = milliseconds << 16 | 0x7000 | UInt64.random(in: 0...0xFFF)
        let low = 0x8000_0000_0000_0000 | UInt64.random(in: 0...0x3FFF_FFFF_FFFF_FFFF)
        return OrderID(high: high, low: low)
    }

    /// A user id for one socket, that cannot be guessed.
    static func userID() -> String {
        let letters = Array("0123456789abcdefghijkmnpqrstuvwxyz")
        return "user#" + String((0..<16).map { _ in letters[Int.random(in: 0..<letters.count)] })
    }
}
