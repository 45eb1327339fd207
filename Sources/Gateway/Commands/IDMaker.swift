import Foundation
import OrderBook

/// Ids that nobody else makes.
enum IDMaker {
    /// A UUIDv7: 48 bits of Unix milliseconds, the version, 12 bits of a millisecond's parts (RFC 9562, 6.2, method 3),
    /// 62 random bits. Ids that follow each other in time do so in the index.
    static func orderID() -> OrderID {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let milliseconds = UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
        let part = UInt64(time.tv_nsec) % 1_000_000 * 4096 / 1_000_000
        return OrderID(
            high: milliseconds << 16 | 0x7000 | part,
            low: 0x8000_0000_0000_0000 | UInt64.random(in: 0...0x3FFF_FFFF_FFFF_FFFF))
    }

    /// A user id for one socket, that cannot be guessed.
    static func userID() -> String {
        let letters = Array("0123456789abcdefghijkmnpqrstuvwxyz")
        return "user#" + String((0..<16).map { _ in letters[Int.random(in: 0..<letters.count)] })
    }
}
