// Text of numbers, ids and times written straight into a buffer. Every store is checked against the buffer's bounds; who
// calls keeps room for a whole row, so that nothing else has to be asked.

@inline(__always)
func put(_ byte: UInt8, _ out: inout MutableRawSpan, _ at: inout Int) {
    out.storeBytes(of: byte, toByteOffset: at, as: UInt8.self)
    at &+= 1
}

@inline(__always)
func put(_ bytes: [UInt8], _ out: inout MutableRawSpan, _ at: inout Int) {
    for byte in bytes { put(byte, &out, &at) }
}

/// A number without leading zeros.
@inline(__always)
func putNumber(_ value: UInt64, _ out: inout MutableRawSpan, _ at: inout Int) {
    putPadded(value, width: digitCount(value), &out, &at)
}

@inline(__always)
func putNumber(_ value: Int64, _ out: inout MutableRawSpan, _ at: inout Int) {
    if value < 0 { put(UInt8(ascii: "-"), &out, &at) }
    putNumber(value.magnitude, &out, &at)
}

/// A number with zeros on the left, up to a width that it does not exceed.
@inline(__always)
func putPadded(_ value: UInt64, width: Int, _ out: inout MutableRawSpan, _ at: inout Int) {
    var rest = value
    var place = at &+ width
    while place >= at &+ 2 {
        let (quotient, pair) = (rest / 100, rest % 100)
        place &-= 2
        let tens = (pair &* 103) >> 10
        // Little-endian: the tens come first.
        let text = UInt16(truncatingIfNeeded: (tens &+ 0x30) | ((pair &- tens &* 10 &+ 0x30) << 8))
        out.storeBytes(of: text.littleEndian, toByteOffset: place, as: UInt16.self)
        rest = quotient
    }
    if place > at { out.storeBytes(of: UInt8(truncatingIfNeeded: rest % 10 &+ 0x30), toByteOffset: at, as: UInt8.self) }
    at &+= width
}

@inline(__always)
func digitCount(_ value: UInt64) -> Int {
    var count = 1
    var rest = value
    while rest >= 10_000 {
        rest /= 10_000
        count &+= 4
    }
    if rest >= 1000 { return count &+ 3 }
    if rest >= 100 { return count &+ 2 }
    return rest >= 10 ? count &+ 1 : count
}

/// `value` × 10^-`scale` without exponent and without zeros at the end, as SQL's trim_scale shows it.
@inline(__always)
func putDecimal(_ value: UInt64, scale: Int, _ out: inout MutableRawSpan, _ at: inout Int) {
    guard scale > 0 else { return putNumber(value, &out, &at) }
    let start = at
    let width = max(digitCount(value), scale &+ 1)
    // One place later: the whole part then moves down and leaves room for the point.
    at &+= 1
    putPadded(value, width: width, &out, &at)
    putPoint(from: start, width: width, scale: scale, &out, &at)
}

/// Digits stand one place behind `start`: moves the whole part to it, sets the point, and takes zeros off the end.
@inline(__always)
private func putPoint(from start: Int, width: Int, scale: Int, _ out: inout MutableRawSpan, _ at: inout Int) {
    let whole = width &- scale
    for place in start..<start &+ whole {
        let digit = out.bytes.unsafeLoad(fromByteOffset: place &+ 1, as: UInt8.self)
        out.storeBytes(of: digit, toByteOffset: place, as: UInt8.self)
    }
    out.storeBytes(of: UInt8(ascii: "."), toByteOffset: start &+ whole, as: UInt8.self)
    while at > start, out.bytes.unsafeLoad(fromByteOffset: at &- 1, as: UInt8.self) == UInt8(ascii: "0") { at &-= 1 }
    if out.bytes.unsafeLoad(fromByteOffset: at &- 1, as: UInt8.self) == UInt8(ascii: ".") { at &-= 1 }
}

/// The product of some factors × 10^-`scale`, whatever its size: the slow way of the few that exceed 64 bits.
func putDecimal(product factors: [UInt128], scale: Int, _ out: inout MutableRawSpan, _ at: inout Int) {
    var limbs: [UInt64] = [1]
    for factor in factors { limbs = multiply(limbs, by: factor) }
    var digits: [UInt8] = []
    while let last = limbs.last {
        guard last != 0 else {
            limbs.removeLast()
            continue
        }
        var remainder: UInt64 = 0
        for index in limbs.indices.reversed() {
            (limbs[index], remainder) = UInt64(10).dividingFullWidth((remainder, limbs[index]))
        }
        digits.append(UInt8(truncatingIfNeeded: remainder) + 0x30)
    }
    while digits.count < scale + 1 { digits.append(0x30) }
    let start = at
    if scale > 0 { at += 1 }
    for digit in digits.reversed() { put(digit, &out, &at) }
    if scale > 0 { putPoint(from: start, width: digits.count, scale: scale, &out, &at) }
}

/// Least significant limb first.
private func multiply(_ limbs: [UInt64], by factor: UInt128) -> [UInt64] {
    let parts = [UInt64(truncatingIfNeeded: factor), UInt64(truncatingIfNeeded: factor >> 64)]
    var product = [UInt64](repeating: 0, count: limbs.count + 2)
    for (low, part) in parts.enumerated() {
        var carry: UInt64 = 0
        for (index, limb) in limbs.enumerated() {
            let sum = UInt128(limb) * UInt128(part) + UInt128(product[index + low]) + UInt128(carry)
            product[index + low] = UInt64(truncatingIfNeeded: sum)
            carry = UInt64(truncatingIfNeeded: sum >> 64)
        }
        product[limbs.count + low] += carry
    }
    return product
}

/// The text of a UUID whose bytes begin at `place` of a row.
@inline(__always)
func putUUID(_ row: RawSpan, from place: Int, _ out: inout MutableRawSpan, _ at: inout Int) {
    let first = hexadecimal(bigEndian32(row, place))
    let second = hexadecimal(bigEndian32(row, place &+ 4))
    let third = hexadecimal(bigEndian32(row, place &+ 8))
    let fourth = hexadecimal(bigEndian32(row, place &+ 12))
    let dash = UInt8(ascii: "-")
    out.storeBytes(of: first.littleEndian, toByteOffset: at, as: UInt64.self)
    out.storeBytes(of: dash, toByteOffset: at &+ 8, as: UInt8.self)
    out.storeBytes(of: UInt32(truncatingIfNeeded: second).littleEndian, toByteOffset: at &+ 9, as: UInt32.self)
    out.storeBytes(of: dash, toByteOffset: at &+ 13, as: UInt8.self)
    out.storeBytes(of: UInt32(truncatingIfNeeded: second >> 32).littleEndian, toByteOffset: at &+ 14, as: UInt32.self)
    out.storeBytes(of: dash, toByteOffset: at &+ 18, as: UInt8.self)
    out.storeBytes(of: UInt32(truncatingIfNeeded: third).littleEndian, toByteOffset: at &+ 19, as: UInt32.self)
    out.storeBytes(of: dash, toByteOffset: at &+ 23, as: UInt8.self)
    out.storeBytes(of: UInt32(truncatingIfNeeded: third >> 32).littleEndian, toByteOffset: at &+ 24, as: UInt32.self)
    out.storeBytes(of: fourth.littleEndian, toByteOffset: at &+ 28, as: UInt64.self)
    at &+= 36
}

/// Eight hexadecimal digits of a word, the first in the lowest byte.
@inline(__always)
private func hexadecimal(_ word: UInt32) -> UInt64 {
    var spread = UInt64(word)
    spread = (spread >> 16) | ((spread & 0xFFFF) << 32)
    spread = ((spread & 0x0000_FF00_0000_FF00) >> 8) | ((spread & 0x0000_00FF_0000_00FF) << 16)
    spread = ((spread & 0x00F0_00F0_00F0_00F0) >> 4) | ((spread & 0x000F_000F_000F_000F) << 8)
    let letters = ((spread &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
    return spread &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
}

@inline(__always)
func bigEndian16(_ row: RawSpan, _ place: Int) -> Int16 {
    Int16(bigEndian: row.unsafeLoadUnaligned(fromByteOffset: place, as: Int16.self))
}

@inline(__always)
func bigEndian32(_ row: RawSpan, _ place: Int) -> UInt32 {
    UInt32(bigEndian: row.unsafeLoadUnaligned(fromByteOffset: place, as: UInt32.self))
}

@inline(__always)
func bigEndian64(_ row: RawSpan, _ place: Int) -> Int64 {
    Int64(bigEndian: row.unsafeLoadUnaligned(fromByteOffset: place, as: Int64.self))
}
