import OrderBook

/// The chain of what was accepted, and where it was: one point per pool, the last `max` of them.
struct ChainPoints: Sendable {
    private(set) var closed: ChainPoint
    private var points: [(through: Timestamp, digest: Digest)]
    private var head = 0
    private let max: Int

    init(closed: ChainPoint, max: Int) {
        self.closed = closed
        self.max = max
        points = [(closed.through, closed.digest ?? .zero)]
    }

    var digest: Digest { points[points.count - 1].digest }

    /// Goes on by one pool.
    mutating func append(_ commands: [[UInt8]], stamp: Timestamp) {
        var digest = digest
        for bytes in commands {
            var hash = SHA256()
            hash.update(digest.bytes)
            hash.update(bytes)
            digest = hash.finalize()
        }
        points.append((stamp, digest))
        guard points.count - head > max else { return }
        head += 1
        guard head > max else { return }
        points.removeFirst(head)
        head = 0
    }

    mutating func close(through: Timestamp) { closed = ChainPoint(through: through, digest: digest) }

    /// The chain at a time up to `closed.through`; nil where it is forgotten.
    func digest(at time: Timestamp) -> Digest? {
        if time >= points[points.count - 1].through { return digest }
        var low = head
        var high = points.count
        while low < high {
            let middle = (low + high) / 2
            if points[middle].through <= time { low = middle + 1 } else { high = middle }
        }
        return low > head ? points[low - 1].digest : nil
    }
}
