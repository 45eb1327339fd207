/// A hash table from order ids to the places where the orders are kept: open addressing, eight bytes an entry.
///
/// The table holds 31 bits of each id's hash and a reference; the id itself stands where the reference points, so the
/// caller compares. The hash is seeded per process, because callers choose ids and could otherwise make them collide;
/// nothing depends on the order of entries.
struct IdentifierTable: Sendable {
    /// Zero where free, else the hash (top bit set) above the reference.
    private var entries: [UInt64]
    private var mask: Int
    private(set) var count = 0
    private let seed: (UInt64, UInt64)

    init() {
        entries = Array(repeating: 0, count: 1024)
        mask = 1023
        var hasher = Hasher()
        hasher.combine(0)
        seed.0 = UInt64(truncatingIfNeeded: hasher.finalize()) | 1
        hasher = Hasher()
        hasher.combine(1)
        seed.1 = UInt64(truncatingIfNeeded: hasher.finalize()) | 1
    }

    /// The position of the entry whose reference satisfies `isMatch`, or nil.
    @inline(__always)
    func position(of id: OrderID, isMatch: (Int32) -> Bool) -> Int? {
        let tag = tag(of: id)
        var position = Int(tag) & mask
        while true {
            let entry = entries[position]
            if entry == 0 { return nil }
            if UInt32(truncatingIfNeeded: entry >> 32) == tag, isMatch(Self.reference(entry)) { return position }
            position = (position + 1) & mask
        }
    }

    @inline(__always)
    func reference(at position: Int) -> Int32 { Self.reference(entries[position]) }

    mutating func replaceReference(at position: Int, with reference: Int32) {
        entries[position] = (entries[position] >> 32) << 32 | UInt64(UInt32(bitPattern: reference))
    }

    /// The id must not be in the table.
    mutating func insert(_ id: OrderID, reference: Int32) {
        if count * 2 >= entries.count { grow() }
        count += 1
        place(UInt64(tag(of: id)) << 32 | UInt64(UInt32(bitPattern: reference)))
    }

    /// Later entries of the same run move up, so that no mark of the removed one is needed.
    mutating func remove(at position: Int) {
        count -= 1
        var hole = position
        var next = (hole + 1) & mask
        while entries[next] != 0 {
            let home = Int(UInt32(truncatingIfNeeded: entries[next] >> 32)) & mask
            if (next - home) & mask >= (next - hole) & mask {
                entries[hole] = entries[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        entries[hole] = 0
    }

    private mutating func grow() {
        let old = entries
        entries = Array(repeating: 0, count: old.count * 2)
        mask = entries.count - 1
        for entry in old where entry != 0 { place(entry) }
    }

    private mutating func place(_ entry: UInt64) {
        var position = Int(UInt32(truncatingIfNeeded: entry >> 32)) & mask
        while entries[position] != 0 { position = (position + 1) & mask }
        entries[position] = entry
    }

    @inline(__always)
    private func tag(of id: OrderID) -> UInt32 {
        let product = (id.high ^ seed.0).multipliedFullWidth(by: id.low ^ seed.1)
        let folded = product.high ^ product.low
        return UInt32(truncatingIfNeeded: folded ^ folded >> 32) | 1 << 31
    }

    @inline(__always)
    private static func reference(_ entry: UInt64) -> Int32 { Int32(truncatingIfNeeded: entry) }
}
