/// A decimal number without rounding: `unscaled` × 10⁻ˢᶜᵃˡᵉ, at most 38 digits.
///
/// Always in lowest terms: `scale` is 0 or the last digit is not zero, so that equal numbers are equal values.
public struct ExactDecimal: Hashable, Sendable {
    public let unscaled: Int128
    /// Digits after the point, 0…38.
    public let scale: Int

    /// The most digits a number may have, before or after the point.
    public static let digitsMax = 38
    public static let zero = ExactDecimal(unscaled: 0, scale: 0)

    private init(unscaled: Int128, scale: Int) {
        self.unscaled = unscaled
        self.scale = scale
    }

    /// `unscaled` × 10⁻ˢᶜᵃˡᵉ; nil beyond 38 digits.
    public init?(exactly unscaled: Int128, scale: Int) {
        let bound = Self.powerOfTen(Self.digitsMax)
        guard (0...Self.digitsMax).contains(scale), unscaled > -bound, unscaled < bound else { return nil }
        self.init(reducing: unscaled, scale: scale)
    }

    /// Brings a number into lowest terms.
    init(reducing unscaled: Int128, scale: Int) {
        var (unscaled, scale) = (unscaled, scale)
        while scale > 0, unscaled % 10 == 0 {
            unscaled /= 10
            scale -= 1
        }
        self.init(unscaled: unscaled, scale: scale)
    }

    public init(_ value: Int64) { self.init(unscaled: Int128(value), scale: 0) }

    public enum ParseError: Error, Hashable, Sendable {
        /// Not of the form `-12.5e3`.
        case notANumber
        /// More than 38 digits before the point.
        case tooLarge
        /// More than 38 digits in all, or after the point.
        case tooPrecise
    }

    /// Reads a number in JSON's notation. Nothing is rounded: what does not fit is an error.
    public init(parsing text: some StringProtocol) throws(ParseError) {
        var scanner = DecimalScanner(bytes: Array(text.utf8))
        guard let parts = scanner.scan() else { throw .notANumber }
        try self.init(parts)
    }

    private init(_ parts: DecimalScanner.Parts) throws(ParseError) {
        guard parts.digitCount > 0 else {
            self = .zero
            return
        }
        // The exponent was bounded while scanning, so these sums cannot overflow.
        guard parts.digitCount + parts.exponent <= Self.digitsMax else { throw .tooLarge }
        guard parts.digitCount <= Self.digitsMax, parts.exponent >= -Self.digitsMax else { throw .tooPrecise }
        let magnitude = parts.exponent > 0 ? parts.digits * Self.powerOfTen(parts.exponent) : parts.digits
        self.init(unscaled: parts.isNegative ? -magnitude : magnitude, scale: max(0, -parts.exponent))
    }

    /// 10ⁿ for n in 0…38.
    static func powerOfTen(_ exponent: Int) -> Int128 {
        var power: Int128 = 1
        for _ in 0..<exponent { power *= 10 }
        return power
    }
}

extension ExactDecimal: CustomStringConvertible {
    /// Plain digits, never an exponent, no trailing zeros after the point.
    public var description: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends `description` as ASCII.
    public func append(to bytes: inout [UInt8]) {
        DecimalText.append(unscaled, times: 1, scale: scale, to: &bytes)
    }
}

/// Takes a number of JSON's grammar apart.
struct DecimalScanner {
    struct Parts {
        var isNegative = false
        /// The digits between the first and the last that are not zero; garbage when there are more than 38.
        var digits: Int128 = 0
        var digitCount = 0
        /// The value is `digits` × 10^exponent.
        var exponent = 0
    }

    let bytes: [UInt8]
    private var position = 0
    private var parts = Parts()
    /// Zeros seen after the last digit that is not zero: they count only if another digit follows.
    private var zerosPending = 0

    /// Past any that can matter, and small enough that sums stay far from overflow.
    private static let exponentMax = 1_000_000_000

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Nil unless all the bytes are one number.
    mutating func scan() -> Parts? {
        if peek == UInt8(ascii: "-") {
            parts.isNegative = true
            position += 1
        }
        guard scanInteger() else { return nil }
        if peek == UInt8(ascii: ".") {
            position += 1
            guard scanDigits(isFraction: true) > 0 else { return nil }
        }
        guard scanExponent(), position == bytes.count else { return nil }
        parts.exponent += zerosPending
        return parts
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func scanInteger() -> Bool {
        let first = peek
        let count = scanDigits(isFraction: false)
        return count == 1 || (count > 1 && first != UInt8(ascii: "0"))
    }

    private mutating func scanDigits(isFraction: Bool) -> Int {
        let start = position
        while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
            take(digit: byte - UInt8(ascii: "0"), isFraction: isFraction)
            position += 1
        }
        return position - start
    }

    private mutating func take(digit: UInt8, isFraction: Bool) {
        if isFraction { parts.exponent -= 1 }
        if digit == 0 {
            // A leading zero says nothing but where the point is; a later one waits.
            if parts.digitCount > 0 { zerosPending += 1 }
            return
        }
        let added = zerosPending + 1
        zerosPending = 0
        parts.digitCount += added
        guard parts.digitCount <= ExactDecimal.digitsMax else { return }
        parts.digits = parts.digits * ExactDecimal.powerOfTen(added) + Int128(digit)
    }

    private mutating func scanExponent() -> Bool {
        guard peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") else { return true }
        position += 1
        var isNegative = false
        if peek == UInt8(ascii: "-") || peek == UInt8(ascii: "+") {
            isNegative = peek == UInt8(ascii: "-")
            position += 1
        }
        let start = position
        var exponent = 0
        while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
            exponent = min(exponent * 10 + Int(byte - UInt8(ascii: "0")), Self.exponentMax)
            position += 1
        }
        parts.exponent += isNegative ? -exponent : exponent
        return position > start
    }
}
