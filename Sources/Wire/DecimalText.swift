/// Prints exact decimals as ASCII digits.
enum DecimalText {
    /// Appends `a` × `b` × 10⁻ˢᶜᵃˡᵉ, without an exponent and without trailing zeros after the point.
    ///
    /// The product may need 256 bits; the usual one fits in 64 and is printed without division by big numbers.
    static func append(_ a: Int128, times b: Int128, scale: Int, to bytes: inout [UInt8]) {
        let isNegative = (a < 0) != (b < 0) && a != 0 && b != 0
        if isNegative { bytes.append(UInt8(ascii: "-")) }
        let (product, overflow) = a.magnitude.multipliedReportingOverflow(by: b.magnitude)
        if !overflow, product.high == 0 {
            appendDigits(of: product.lowWord, scale: scale, to: &bytes)
        } else {
            appendDigits(productDigits(a.magnitude, b.magnitude), scale: scale, to: &bytes)
        }
    }

    /// The usual case, without memory of its own: digits are written from the last to the first, then turned round.
    private static func appendDigits(of value: UInt64, scale: Int, to bytes: inout [UInt8]) {
        var (rest, place) = (value, 0)
        // Zeros at the end of the fraction are left out.
        while place < scale, rest % 10 == 0, rest > 0 {
            rest /= 10
            place += 1
        }
        if rest == 0 { return bytes.append(UInt8(ascii: "0")) }
        let start = bytes.count
        while rest > 0 || place <= scale {
            if place == scale, bytes.count > start { bytes.append(UInt8(ascii: ".")) }
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
            place += 1
        }
        bytes[start...].reverse()
    }

    /// The decimal digits of a product, most significant first; none for zero.
    private static func productDigits(_ a: UInt128, _ b: UInt128) -> [UInt8] {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        if !overflow { return digits(of: product) }
        let wide = a.multipliedFullWidth(by: b)
        return digits(of: [wide.high.high, wide.high.lowWord, wide.low.high, wide.low.lowWord])
    }

    private static func digits(of value: UInt128) -> [UInt8] { digits(of: [value.high, value.lowWord]) }

    /// Schoolbook division of a big-endian number by 10, again and again: rare and short.
    private static func digits(of words: [UInt64]) -> [UInt8] {
        var words = words
        var digits: [UInt8] = []
        while words.contains(where: { $0 != 0 }) {
            var remainder: UInt64 = 0
            for index in words.indices {
                (words[index], remainder) = (10 as UInt64).dividingFullWidth((remainder, words[index]))
            }
            digits.append(UInt8(truncatingIfNeeded: remainder))
        }
        digits.reverse()
        return digits
    }

    private static func appendDigits(_ digits: [UInt8], scale: Int, to bytes: inout [UInt8]) {
        let wholeCount = digits.count - scale
        if wholeCount <= 0 { bytes.append(UInt8(ascii: "0")) }
        for digit in digits.prefix(max(0, wholeCount)) { bytes.append(UInt8(ascii: "0") + digit) }
        let fraction = digits.dropFirst(max(0, wholeCount))
        guard scale > 0, let last = fraction.lastIndex(where: { $0 != 0 }) else { return }
        bytes.append(UInt8(ascii: "."))
        for _ in 0..<max(0, -wholeCount) { bytes.append(UInt8(ascii: "0")) }
        for digit in fraction[...last] { bytes.append(UInt8(ascii: "0") + digit) }
    }
}

extension UInt128 {
    fileprivate var high: UInt64 { UInt64(truncatingIfNeeded: self >> 64) }
    fileprivate var lowWord: UInt64 { UInt64(truncatingIfNeeded: self) }
}
