/// What may come from outside, by whatever road: the one table of bounds.
///
/// Every entrance refuses what lies beyond, with the value at fault and the bound. The database holds the same bounds, as
/// constraints of its tables and as functions for its messages (a test proves both equal), so that nothing is stored
/// that cannot be read. They are chosen so that what is computed of values within them fits the types that hold it.
public enum Bounds {
    // MARK: Times

    /// The years 1 to 9999, UTC: what PostgreSQL, ISO 8601 and this program all can name. An infinity is no time.
    public static let times = Timestamp(-62_135_596_800_000_000)...Timestamp(253_402_300_799_999_999)

    /// The longest span, in microseconds: from the first time to the last. Sums and differences of times and spans fit
    /// 64 bits.
    public static let spanMax: Int64 = 315_537_897_599_999_999

    // MARK: Orders

    /// Lots of one order. A sum of 10²⁰ of them fits 128 bits.
    public static let amountMax: Int64 = 1_000_000_000_000_000_000

    /// Ticks.
    public static let priceMax: Int64 = 1_000_000_000_000_000_000

    /// What the largest order of a market may be worth at the highest price, and what one trade may be worth, in the last
    /// decimal that a product of its tick and its lot has: the sum of a hundred million of them has 38 digits, which
    /// every decimal here can hold.
    public static let valueMax: Int128 = 1_000_000_000_000_000_000_000_000_000_000

    /// Digits of a tick or a lot size, and digits after its point.
    public static let unitDigitsMax = 18

    /// A tick or a lot size without its point.
    public static let unitDigits: ClosedRange<Int128> = 1...999_999_999_999_999_999

    /// Numbers that count up from 1, such as trade ids: above it there is room for all that will ever be counted.
    public static let numberMax: Int64 = 9_000_000_000_000_000_000

    // MARK: Text

    /// Bytes of UTF-8 of a user id, and of a client order id.
    public static let nameBytesMax = 64

    /// Bytes of a market's symbol: A-Z a-z 0-9 . _ / : -
    public static let symbolBytesMax = 32

    /// Bytes of a node's name: a-z 0-9 -
    public static let nodeNameBytesMax = 32
}

/// A sum that exceeds what its type holds. Within the bounds there is none.
public struct Overflow: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ sum: String) { description = "\(sum) is more than can be counted" }
}

// MARK: - Times

extension Timestamp {
    /// So much later; at the ends of what 64 bits hold it stays there.
    public static func + (time: Self, microseconds: Int64) -> Self {
        let (sum, overflow) = time.rawValue.addingReportingOverflow(microseconds)
        return overflow ? Self(microseconds < 0 ? .min : .max) : Self(sum)
    }

    /// So much earlier; at the ends of what 64 bits hold it stays there.
    public static func - (time: Self, microseconds: Int64) -> Self {
        let (difference, overflow) = time.rawValue.subtractingReportingOverflow(microseconds)
        return overflow ? Self(microseconds < 0 ? .max : .min) : Self(difference)
    }

    /// Microseconds from an earlier time to this one; at the ends of what 64 bits hold it stays there.
    public func microseconds(since earlier: Self) -> Int64 {
        let (difference, overflow) = rawValue.subtractingReportingOverflow(earlier.rawValue)
        return overflow ? (self < earlier ? .min : .max) : difference
    }

    /// Whether it lies in the years 1 to 9999, UTC.
    public var isWithinBounds: Bool { Bounds.times.contains(self) }
}

// MARK: - Text

extension Bounds {
    /// Why a text is no user id, for a person; nil where it is one. The rule is that of `pgbook_data.user_fault`.
    public static func fault(ofUser text: String) -> String? {
        // Nearly all are plain, and this is asked of every order.
        if isPlainName(text) { return nil }
        if let fault = fault(ofName: text) { return "a user id \(fault)" }
        for scalar in text.unicodeScalars where isInvisible(scalar) {
            let digits = String(scalar.value, radix: 16, uppercase: true)
            let code = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            return "a user id holds no U+\(code): it cannot be seen, or changes the direction of what follows"
        }
        return nil
    }

    /// Why a text is no client order id, for a person; nil where it is one.
    public static func fault(ofClientOrderID text: String) -> String? {
        isPlainName(text) ? nil : fault(ofName: text).map { "a client order id \($0)" }
    }

    /// Whether a text may be a market's symbol.
    public static func isSymbol(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...symbolBytesMax).contains(bytes.count), let first = bytes.first, isLetterOrDigit(first) else {
            return false
        }
        return bytes.allSatisfy { isLetterOrDigit($0) || ".-_/:".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// Of letters, digits and signs of ASCII, and not too long.
    private static func isPlainName(_ text: String) -> Bool {
        text.utf8.withContiguousStorageIfAvailable { bytes in
            guard bytes.count > 0, bytes.count <= nameBytesMax else { return false }
            for byte in bytes where byte &- 0x20 > 0x5E { return false }
            return true
        } ?? false
    }

    private static func fault(ofName text: String) -> String? {
        let count = text.utf8.count
        guard count > 0, count <= nameBytesMax else {
            return "has 1 to \(nameBytesMax) bytes of UTF-8\(count > 0 ? ", not \(count)" : "")"
        }
        return text.utf8.contains(0) ? "holds no zero byte" : nil
    }

    /// Control characters, and those that are not drawn or change how others are.
    static func isInvisible(_ scalar: Unicode.Scalar) -> Bool { invisible.contains { $0.contains(scalar.value) } }

    /// As they stand in the regular expression of `pgbook_data.user_fault`.
    public static let invisible: [ClosedRange<UInt32>] = [
        0x00...0x1F, 0x7F...0x9F, 0xAD...0xAD, 0x34F...0x34F, 0x61C...0x61C, 0x115F...0x1160, 0x17B4...0x17B5,
        0x180B...0x180F, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0x3164...0x3164, 0xFE00...0xFE0F,
        0xFEFF...0xFEFF, 0xFFA0...0xFFA0, 0xFFF0...0xFFFB, 0x1D173...0x1D17A, 0xE0000...0xE0FFF,
    ]
}
