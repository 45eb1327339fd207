/// Keys in ascending order, each with a reference, in leaves of bounded size.
///
/// One flat sorted array would move half of itself for every new price far from the touch; here an insertion moves at
/// most one leaf, and now and then the short list of leaves. The greatest keys, the best prices, are in the last leaf,
/// which is looked at first.
struct SortedKeys: Sendable {
    private static let leafCapacity = 64

    private struct Leaf {
        /// At or below the leaf's first key, above the last key of the leaf before.
        var lowerBound: Int64
        /// The leaf's keys begin at `storage * leafCapacity`.
        var storage: Int32
        var count: Int32
    }

    private var leaves: [Leaf] = []
    private var keys: [Int64] = []
    private var references: [Int32] = []
    private var freeStorage: [Int32] = []

    /// Where a key stands, or where it would be inserted.
    struct Position {
        var leaf: Int
        var offset: Int
        var isFound: Bool
    }

    func position(of key: Int64) -> Position {
        guard !leaves.isEmpty else { return Position(leaf: 0, offset: 0, isFound: false) }
        let leaf = leafIndex(for: key)
        let base = base(of: leaf)
        var low = 0
        var high = Int(leaves[leaf].count)
        while low < high {
            let middle = (low + high) >> 1
            if keys[base + middle] < key { low = middle + 1 } else { high = middle }
        }
        let isFound = low < Int(leaves[leaf].count) && keys[base + low] == key
        return Position(leaf: leaf, offset: low, isFound: isFound)
    }

    func reference(at position: Position) -> Int32 { references[base(of: position.leaf) + position.offset] }

    /// The reference of the greatest key below a position, or nil.
    func reference(below position: Position) -> Int32? {
        if position.offset > 0 { return references[base(of: position.leaf) + position.offset - 1] }
        guard position.leaf > 0 else { return nil }
        let leaf = position.leaf - 1
        return references[base(of: leaf) + Int(leaves[leaf].count) - 1]
    }

    /// The reference of the least key, or nil.
    var firstReference: Int32? { leaves.isEmpty ? nil : references[base(of: 0)] }

    mutating func insert(_ key: Int64, reference: Int32, at position: Position) {
        guard !leaves.isEmpty else {
            leaves.append(Leaf(lowerBound: key, storage: allocateStorage(), count: 1))
            keys[base(of: 0)] = key
            references[base(of: 0)] = reference
            return
        }
        var leaf = position.leaf
        var offset = position.offset
        if Int(leaves[leaf].count) == Self.leafCapacity {
            split(leaf)
            let half = Int(leaves[leaf].count)
            if offset > half {
                leaf += 1
                offset -= half
            }
        }
        let base = base(of: leaf)
        var index = base + Int(leaves[leaf].count)
        while index > base + offset {
            keys[index] = keys[index - 1]
            references[index] = references[index - 1]
            index -= 1
        }
        keys[index] = key
        references[index] = reference
        leaves[leaf].count += 1
        if key < leaves[leaf].lowerBound { leaves[leaf].lowerBound = key }
    }

    mutating func remove(at position: Position) {
        let leaf = position.leaf
        let base = base(of: leaf)
        let last = Int(leaves[leaf].count) - 1
        for offset in position.offset..<last {
            keys[base + offset] = keys[base + offset + 1]
            references[base + offset] = references[base + offset + 1]
        }
        leaves[leaf].count -= 1
        if last == 0 {
            freeStorage.append(leaves[leaf].storage)
            leaves.remove(at: leaf)
        }
    }

    @inline(__always)
    private func base(of leaf: Int) -> Int { Int(leaves[leaf].storage) * Self.leafCapacity }

    /// The last leaf that begins at or below the key; the first one if none does.
    private func leafIndex(for key: Int64) -> Int {
        var high = leaves.count - 1
        if leaves[high].lowerBound <= key { return high }
        var low = 0
        while low < high {
            let middle = (low + high) >> 1
            if leaves[middle].lowerBound <= key { low = middle + 1 } else { high = middle }
        }
        return max(low - 1, 0)
    }

    /// Moves the upper half of a full leaf to a new one.
    private mutating func split(_ leaf: Int) {
        let kept = Self.leafCapacity / 2
        let moved = Self.leafCapacity - kept
        let storage = allocateStorage()
        let source = base(of: leaf) + kept
        let target = Int(storage) * Self.leafCapacity
        for offset in 0..<moved {
            keys[target + offset] = keys[source + offset]
            references[target + offset] = references[source + offset]
        }
        leaves[leaf].count = Int32(kept)
        leaves.insert(Leaf(lowerBound: keys[target], storage: storage, count: Int32(moved)), at: leaf + 1)
    }

    private mutating func allocateStorage() -> Int32 {
        if let storage = freeStorage.popLast() { return storage }
        let storage = Int32(keys.count / Self.leafCapacity)
        keys.append(contentsOf: repeatElement(0, count: Self.leafCapacity))
        references.append(contentsOf: repeatElement(none, count: Self.leafCapacity))
        return storage
    }
}
