/// Reads what `ByteWriter` wrote, and nothing else: whatever the bytes are, it neither traps nor allocates more than
/// they justify, and every value has one spelling.
struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private var left: Int { bytes.count - position }

    /// Refuses what follows the last value.
    func finish() throws(CodecError) {
        guard left == 0 else { throw CodecError("\(left) bytes follow its end") }
    }

    mutating func byte(_ part: String) throws(CodecError) -> UInt8 {
        guard left > 0 else { throw .ends(in: part) }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func bool(_ part: String) throws(CodecError) -> Bool {
        switch try byte(part) {
        case 0: return false
        case 1: return true
        case let other: throw CodecError("\(part) is \(other), neither 0 nor 1")
        }
    }

    mutating func unsignedWord(_ part: String) throws(CodecError) -> UInt64 {
        guard left >= 8 else { throw .ends(in: part) }
        var word: UInt64 = 0
        for offset in 0..<8 { word = word << 8 | UInt64(bytes[position + offset]) }
        position += 8
        return word
    }

    mutating func word(_ part: String) throws(CodecError) -> Int64 { Int64(bitPattern: try unsignedWord(part)) }

    mutating func unsignedSmall(_ part: String) throws(CodecError) -> UInt64 { try unsignedSmall("", of: "", part) }

    /// The words are put together only where they are needed.
    private mutating func unsignedSmall(_ a: String, of b: String, _ c: String) throws(CodecError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard left > 0 else { throw .ends(in: a + b + c) }
            let next = bytes[position]
            position += 1
            // The tenth byte holds the one bit that is left.
            if shift == 63, next > 1 { throw CodecError("\(a)\(b)\(c) has more than 64 bits") }
            value |= UInt64(next & 0x7f) << shift
            if next & 0x80 == 0 {
                if next == 0, shift > 0 { throw CodecError("\(a)\(b)\(c) is written longer than it is") }
                return value
            }
            shift += 7
        }
    }

    mutating func small(_ part: String) throws(CodecError) -> Int64 {
        let value = try unsignedSmall(part)
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// A number of things that follow, each of at least one byte.
    mutating func count(_ part: String, max: Int, of unit: String = "") throws(CodecError) -> Int {
        let count = try unsignedSmall("the number of ", of: unit, part)
        guard count <= UInt64(max) else { throw CodecError("\(count) \(unit)\(part), more than \(max)") }
        guard count <= UInt64(left) else { throw .ends(in: unit + part) }
        return Int(count)
    }

    mutating func block(_ part: String, max: Int) throws(CodecError) -> ArraySlice<UInt8> {
        let count = try count(part, max: max, of: "bytes of ")
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// PostgreSQL has no text with a zero byte; nor has any honest node.
    mutating func text(_ part: String, max: Int = CodecLimits.textBytesMax) throws(CodecError) -> String {
        let block = try block(part, max: max)
        // Most are ASCII, and are known to be text by one look.
        var all: UInt8 = 0
        var hasZero = false
        for byte in block {
            all |= byte
            if byte == 0 { hasZero = true }
        }
        if all < 0x80, !hasZero { return String(decoding: block, as: UTF8.self) }
        guard !hasZero, let text = String(validating: block, as: UTF8.self) else {
            throw CodecError("\(part) is not UTF-8 text")
        }
        return text
    }

    mutating func list<T>(
        _ part: String, max: Int, _ read: (inout ByteReader) throws(CodecError) -> T
    ) throws(CodecError) -> [T] {
        let count = try count(part, max: max)
        var values: [T] = []
        // Elements are larger in memory than on the wire: grow as they come.
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }

    mutating func optional<T>(
        _ part: String, _ read: (inout ByteReader) throws(CodecError) -> T
    ) throws(CodecError) -> T? {
        try bool(part) ? try read(&self) : nil
    }
}
