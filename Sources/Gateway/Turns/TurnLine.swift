/// Who waits, by how much each has had: whoever has had least comes next, and of those who have had as much, whoever came
/// first. A value: it decides, and does nothing.
///
/// Start-time fair queueing (Goyal, Vin, Cheng: "Start-time Fair Queueing", SIGCOMM 1996). What somebody has had is a
/// point in virtual time, at which the next turn may start; virtual time stands at the start of the last turn.
struct TurnLine<Element> {
    private struct Waiting {
        var start: UInt64
        var element: Element
    }

    /// The last is next.
    private var line: [Waiting] = []
    private(set) var now: UInt64

    /// - Parameter now: where virtual time begins.
    init(now: UInt64 = 0) { self.now = now }

    var isEmpty: Bool { line.isEmpty }

    /// Puts somebody in line.
    /// - Parameters:
    ///   - end: until when it has had its share.
    ///   - credit: how far whoever has had less than its share goes ahead of the others.
    mutating func join(_ element: Element, end: UInt64, credit: UInt64 = 0) {
        let start = max(end, now - min(now, credit))
        var (low, high) = (0, line.count)
        while low < high {
            let middle = (low + high) / 2
            if line[middle].start > start { low = middle + 1 } else { high = middle }
        }
        line.insert(Waiting(start: start, element: element), at: low)
    }

    /// Takes the next out of the line.
    /// - Returns: also when its turn started; it has its share until then and for what the turn costs.
    mutating func next() -> (element: Element, start: UInt64)? {
        guard let next = line.popLast() else { return nil }
        now = max(now, next.start)
        return (next.element, next.start)
    }

    mutating func removeAll(where isGone: (Element) -> Bool) { line.removeAll { isGone($0.element) } }
}
