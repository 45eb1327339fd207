/// An exact decimal: `unscaled` × 10^-`scale`. PostgreSQL's NaN and infinities are refused, and so is what needs more
/// than 38 digits.
///
/// Equality is of both parts, as PostgreSQL shows 1.0 and 1.00 differently; compare after bringing them to one scale.
public struct PostgresNumeric: Hashable, Sendable {
    public var unscaled: Int128
    /// Digits after the point, 0 to `PostgresLimits.numericScaleMax`.
    public let scale: Int

    public init(unscaled: Int128, scale: Int) {
        precondition(
            (0...PostgresLimits.numericScaleMax).contains(scale),
            "numeric scale \(scale) is outside 0...\(PostgresLimits.numericScaleMax)")
        self.unscaled = unscaled
        self.scale = scale
    }
}

extension PostgresNumeric: LosslessStringConvertible {
    /// Reads digits with an optional sign and point: `-12.50`. No exponent, no spaces; nil too where it does not fit.
    public init?(_ description: String) {
        var value: Int128 = 0
        var scale: Int?
        var digits = 0
        var text = Substring(description).utf8
        let isNegative = text.first == UInt8(ascii: "-")
        if isNegative { text.removeFirst() }
        for byte in text {
            if byte == UInt8(ascii: "."), scale == nil {
                scale = 0
                continue
            }
            guard (0x30...0x39).contains(byte) else { return nil }
            digits += 1
            let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.subtractingReportingOverflow(Int128(byte - 0x30))
            guard !overflow, !carry else { return nil }
            value = sum
            scale = scale.map { $0 + 1 }
        }
        // Counted downwards, since the least Int128 has no positive counterpart.
        guard digits > 0, (scale ?? 0) <= PostgresLimits.numericScaleMax, isNegative || value != .min else {
            return nil
        }
        self.init(unscaled: isNegative ? value : -value, scale: scale ?? 0)
    }

    public var description: String {
        var digits = String(unscaled.magnitude)
        if digits.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.count) + digits }
        let point = digits.index(digits.endIndex, offsetBy: -scale)
        return (unscaled < 0 ? "-" : "") + digits[..<point] + (scale > 0 ? "." + digits[point...] : "")
    }
}

extension PostgresNumeric: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    public static var postgresType: PostgresType { .numeric }
    public static var postgresArrayType: PostgresType { .numericArray }

    private static let negative: UInt16 = 0x4000

    /// Head of four 16-bit words (digit count, weight of the first digit, sign, scale), then digits of base 10000.
    public func encode(into writer: inout PostgresWriter) {
        if scale == 0, unscaled >= 0, let small = UInt64(exactly: unscaled) {
            return Self.encode(small, into: &writer)
        }
        var groups = base10000Groups()
        let groupsAfterPoint = (scale + 3) / 4
        var weight = groups.count - groupsAfterPoint - 1
        let leading = groups.prefix { $0 == 0 }.count
        groups.removeFirst(leading)
        weight -= leading
        while groups.last == 0 { groups.removeLast() }
        writer.write(Int16(groups.count))
        writer.write(Int16(groups.isEmpty ? 0 : weight))
        writer.write(unscaled < 0 ? Self.negative : 0)
        writer.write(Int16(scale))
        for group in groups { writer.write(group) }
    }

    /// A whole number, the common case, without an allocation.
    private static func encode(_ value: UInt64, into writer: inout PostgresWriter) {
        var power: UInt64 = 1
        var count = value == 0 ? 0 : 1
        while value / power >= 10_000 {
            power *= 10_000
            count += 1
        }
        // Zeros at the end are not stored.
        var stored = count
        var rest = value
        while stored > 0, rest % 10_000 == 0 {
            rest /= 10_000
            stored -= 1
        }
        writer.write(Int16(stored))
        writer.write(Int16(max(0, count - 1)))
        writer.write(UInt16(0))
        writer.write(Int16(0))
        for _ in 0..<stored {
            writer.write(Int16(value / power % 10_000))
            power = power / 10_000
        }
    }

    /// Decimal digits in groups of four, aligned at the point, most significant first.
    private func base10000Groups() -> [Int16] {
        var digits: [Int16] = []
        var rest = unscaled.magnitude
        while rest > 0 {
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
            digits.append(Int16(remainder))
            rest = quotient
        }
        // Least significant first: fill up to whole groups on both ends.
        digits.insert(contentsOf: repeatElement(0, count: (4 - scale % 4) % 4), at: 0)
        while digits.count % 4 != 0 || digits.count < (scale + 3) / 4 * 4 { digits.append(0) }
        return stride(from: digits.count - 4, through: 0, by: -4).map {
            ((digits[$0 + 3] * 10 + digits[$0 + 2]) * 10 + digits[$0 + 1]) * 10 + digits[$0]
        }
    }

    public init(decoding cell: borrowing PostgresCell) throws(PostgresError) {
        guard cell.type == .numeric, !cell.isNull else { throw cell.mismatch(PostgresNumeric.self) }
        let bytes = cell.bytes
        func word(_ index: Int) -> UInt16 {
            UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
        }
        guard bytes.count >= 8, bytes.count == 8 + Int(word(0)) * 2 else { throw cell.malformed(PostgresNumeric.self) }
        let (weight, sign, scale) = (Int(Int16(bitPattern: word(1))), word(2), Int(word(3)))
        guard sign == 0 || sign == Self.negative else {
            let name = sign == 0xC000 ? "NaN" : sign == 0xD000 ? "Infinity" : "-Infinity"
            throw PostgresError(.decode, "\(name) is not an exact decimal")
        }
        let range = PostgresError(.decode, "a numeric of scale \(scale) and weight \(weight) has more than 38 digits")
        guard scale <= PostgresLimits.numericScaleMax else { throw range }
        var total: Int128 = 0
        for index in 0..<Int(word(0)) {
            let exponent = 4 * (weight - index) + scale
            guard let part = Self.scaled(Int128(word(4 + index)), by: exponent) else { throw range }
            let (sum, overflow) = total.subtractingReportingOverflow(part)
            guard !overflow else { throw range }
            total = sum
        }
        guard sign != 0 || total != .min else { throw range }
        self.init(unscaled: sign == 0 ? -total : total, scale: scale)
    }

    /// `digit` × 10^`exponent`, or nil where that is not exact.
    private static func scaled(_ digit: Int128, by exponent: Int) -> Int128? {
        var value = digit
        if value == 0 { return 0 }
        for _ in 0..<max(0, exponent) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            value = product
        }
        for _ in 0..<max(0, -exponent) {
            if value % 10 != 0 { return nil }
            value /= 10
        }
        return value
    }
}
