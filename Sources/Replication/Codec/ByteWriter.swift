/// Writes values as bytes, each in one way only.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func bool(_ value: Bool) { bytes.append(value ? 1 : 0) }

    /// Big-endian, eight bytes: for what is nearly always large.
    mutating func word(_ value: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func word(_ value: Int64) { word(UInt64(bitPattern: value)) }

    /// Seven bits a byte, the lowest first (LEB128): for what is nearly always small.
    mutating func small(_ value: UInt64) {
        var rest = value
        while rest > 0x7f {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// With the sign in the lowest bit.
    mutating func small(_ value: Int64) { small(UInt64(bitPattern: value << 1 ^ value >> 63)) }

    mutating func text(_ value: String) { block(value.utf8) }

    mutating func block(_ value: some Collection<UInt8>) {
        small(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func list<T>(_ values: [T], _ write: (inout ByteWriter, T) -> Void) {
        small(UInt64(values.count))
        for value in values { write(&self, value) }
    }

    mutating func optional<T>(_ value: T?, _ write: (inout ByteWriter, T) -> Void) {
        bool(value != nil)
        if let value { write(&self, value) }
    }
}
