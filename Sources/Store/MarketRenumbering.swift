/// The numbers that a peer's markets have here.
struct MarketRenumbering {
    private let numbers: [Int16: Int16]
    private let isSame: Bool

    init(_ numbers: [Int16: Int16]) {
        self.numbers = numbers
        isSame = numbers.allSatisfy { $0.key == $0.value }
    }

    /// Rows as COPY has them in binary: for each a count of fields, and for each field its length and bytes. The market is
    /// the first field of each.
    func apply(to block: ArraySlice<UInt8>, hasHeader: Bool) throws -> [UInt8] {
        var bytes = Array(block)
        if isSame { return bytes }
        // A signature of 11 bytes, flags, and the length of an extension.
        var position = hasHeader ? 19 : 0
        while position + 2 <= bytes.count {
            let fields = integer(bytes, at: position, width: 2)
            if fields == 0xffff { break }
            guard fields > 0, position + 8 <= bytes.count, integer(bytes, at: position + 2, width: 4) == 2,
                let number = numbers[Int16(truncatingIfNeeded: integer(bytes, at: position + 6, width: 2))]
            else { throw StoreError(.mismatch, "a row is of a market that the state does not name") }
            bytes[position + 6] = UInt8(truncatingIfNeeded: number >> 8)
            bytes[position + 7] = UInt8(truncatingIfNeeded: number)
            position += 2
            for _ in 0..<fields {
                guard position + 4 <= bytes.count else { throw StoreError(.mismatch, "a row is cut off") }
                let length = integer(bytes, at: position, width: 4)
                position += 4 + (length == 0xffff_ffff ? 0 : length)
            }
        }
        return bytes
    }

    private func integer(_ bytes: [UInt8], at position: Int, width: Int) -> Int {
        bytes[position..<position + width].reduce(0) { $0 << 8 | Int($1) }
    }
}
