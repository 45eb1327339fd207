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
    /// Numbers behind the first gap, with their stamps, rising.
    private var ahead: [(number: Int64, stamp: Timestamp)] = []

    init(stored: Intervals = Intervals(), lastStamp: Timestamp? = nil) {
        known = stored
        durable = stored
        heardOf = stored.highest
        if stored.contiguous == stored.highest { contiguousStamp = lastStamp }
    }

    /// Whether a stamp fits between those of its neighbours.
    func fits(number: Int64, stamp: Timestamp) -> Bool {
        if let contiguousStamp, number > known.contiguous, stamp <= contiguousStamp { return false }
        let index = ahead.firstIndex { $0.number > number } ?? ahead.count
        if index > 0, ahead[index - 1].stamp >= stamp { return false }
        return index == ahead.count || stamp < ahead[index].stamp
    }

    mutating func learn(number: Int64, stamp: Timestamp) {
        let before = known.contiguous
        known.insert(number)
        heardOf = max(heardOf, number)
        if number == before + 1 {
            contiguousStamp = stamp
            passAhead()
        } else if number > before {
            ahead.insert((number, stamp), at: ahead.firstIndex { $0.number > number } ?? ahead.count)
        }
    }

    private mutating func passAhead() {
        let reached = known.contiguous
        guard let first = ahead.first, first.number <= reached else { return }
        let index = ahead.firstIndex { $0.number > reached } ?? ahead.count
        if ahead[index - 1].number == reached { contiguousStamp = ahead[index - 1].stamp }
        ahead.removeFirst(index)
    }
}
