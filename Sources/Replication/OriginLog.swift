import OrderBook

/// What this node has of one origin's log. The commands themselves are in the database, and in `Pools` while they wait.
struct OriginLog: Sendable {
    /// Numbers that came, durable or not.
    private(set) var known: Intervals
    /// Numbers that are durable.
    var durable: Intervals
    /// The highest number that anybody has spoken of.
    var heardOf: Int64
    /// The stamp of `known.contiguous`: whatever comes behind it has a later one. Nil where it was not told.
    private(set) var contiguousStamp: Timestamp?
    /// The stamps of the numbers behind the first gap.
    private var ahead = Runs<Timestamp>()

    init(stored: Intervals = Intervals(), lastStamp: Timestamp? = nil) {
        known = stored
        durable = stored
        heardOf = stored.highest
        if stored.contiguous == stored.highest { contiguousStamp = lastStamp }
    }

    /// Whether a stamp fits between those of its neighbours.
    func fits(number: Int64, stamp: Timestamp) -> Bool {
        if let contiguousStamp, number > known.contiguous, stamp <= contiguousStamp { return false }
        if let before = ahead.below(number), before.value >= stamp { return false }
        if let after = ahead.above(number), after.value <= stamp { return false }
        return true
    }

    mutating func learn(number: Int64, stamp: Timestamp) {
        let before = known.contiguous
        known.insert(number)
        heardOf = max(heardOf, number)
        if number == before + 1 {
            contiguousStamp = stamp
            passAhead()
        } else if number > before {
            ahead.insert(number, stamp)
        }
    }

    private mutating func passAhead() {
        while let first = ahead.first, first.number <= known.contiguous {
            contiguousStamp = first.value
            _ = ahead.popFirst()
        }
    }
}
