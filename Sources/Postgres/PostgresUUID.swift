/// 16 bytes as two big-endian words; sorted as PostgreSQL sorts `uuid`.
public struct PostgresUUID: Hashable, Sendable, Comparable {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public static func < (left: PostgresUUID, right: PostgresUUID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension PostgresUUID: LosslessStringConvertible {
    /// Reads the form with hyphens, `8-4-4-4-12` hexadecimal digits of either case, and no other.
    public init?(_ description: String) {
        guard description.utf8.count == 36 else { return nil }
        var value: UInt128 = 0
        for (index, byte) in description.utf8.enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt128(byte - 0x30)
            case 0x41...0x46: value = value << 4 | UInt128(byte - 0x37)
            case 0x61...0x66: value = value << 4 | UInt128(byte - 0x57)
            default: return nil
            }
        }
        self.init(high: UInt64(value >> 64), low: UInt64(truncatingIfNeeded: value))
    }

    public var description: String {
        let digits: StaticString = "0123456789abcdef"
        return String(unsafeUninitializedCapacity: 36) { text in
            var place = 0
            for nibble in 0..<32 {
                if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
                    text[place] = UInt8(ascii: "-")
                    place += 1
                }
                let word = nibble < 16 ? high : low
                text[place] = digits.utf8Start[Int(word >> UInt64(60 - nibble % 16 * 4) & 15)]
                place += 1
            }
            return 36
        }
    }
}

extension PostgresUUID: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    public static var postgresType: PostgresType { .uuid }
    public static var postgresArrayType: PostgresType { .uuidArray }
    var word: UInt128 { UInt128(high) << 64 | UInt128(low) }

    public func encode(into writer: inout PostgresWriter) {
        writer.write(high)
        writer.write(low)
    }

    public static func encodeArray(_ elements: [PostgresUUID], into writer: inout PostgresWriter) {
        writer.writeArray(elements, type: .uuid) { $0.word }
    }

    public init(decoding cell: borrowing PostgresCell) throws(PostgresError) {
        guard cell.type == .uuid, !cell.isNull else { throw cell.mismatch(PostgresUUID.self) }
        let word = try cell.integer(UInt128.self)
        self.init(high: UInt64(word >> 64), low: UInt64(truncatingIfNeeded: word))
    }
}
