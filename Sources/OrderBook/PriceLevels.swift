/// All orders at one price, in the order in which they are served.
struct PriceLevelNode: Sendable {
    /// The price, negated for asks: a greater key is a better price on either side.
    var key: Int64
    /// Σ of what is open. 128 bits, because the sum of many 64-bit amounts must not overflow.
    var amount: Int128 = 0
    var orders: Int32 = 0
    var head: Int32 = none
    var tail: Int32 = none
    /// The neighbouring levels; a free node's next free one stands in `worse`.
    var better: Int32 = none
    var worse: Int32 = none
}

/// The levels of one side: linked from best to worst, and found by price.
struct PriceLevels: Sendable {
    var nodes: [PriceLevelNode] = []
    private(set) var best: Int32 = none
    private(set) var count = 0
    private var index = SortedKeys()
    private var firstFree: Int32 = none

    /// The level with a key, made if there is none.
    mutating func level(for key: Int64) -> Int32 {
        if best != none, nodes[Int(best)].key == key { return best }
        let position = index.position(of: key)
        if position.isFound { return index.reference(at: position) }
        let worse = index.reference(below: position) ?? none
        let better = worse == none ? worst() : nodes[Int(worse)].better
        let level = allocate(PriceLevelNode(key: key, better: better, worse: worse))
        if better == none { best = level } else { nodes[Int(better)].worse = level }
        if worse != none { nodes[Int(worse)].better = level }
        index.insert(key, reference: level, at: position)
        return level
    }

    /// Takes an empty level out.
    mutating func remove(_ level: Int32) {
        let node = nodes[Int(level)]
        index.remove(at: index.position(of: node.key))
        if node.better == none { best = node.worse } else { nodes[Int(node.better)].worse = node.worse }
        if node.worse != none { nodes[Int(node.worse)].better = node.better }
        nodes[Int(level)].worse = firstFree
        firstFree = level
        count -= 1
    }

    /// The level that a new worst one comes after.
    private func worst() -> Int32 { index.firstReference ?? none }

    private mutating func allocate(_ node: PriceLevelNode) -> Int32 {
        count += 1
        guard firstFree != none else {
            nodes.append(node)
            return Int32(nodes.count - 1)
        }
        let level = firstFree
        firstFree = nodes[Int(level)].worse
        nodes[Int(level)] = node
        return level
    }
}
