/// Numbers from 1 on, as ranges: rising, with gaps between them.
struct Intervals: Hashable, Sendable {
    private(set) var ranges: [ClosedRange<Int64>]

    init(_ ranges: [ClosedRange<Int64>] = []) { self.ranges = ranges }

    /// All from 1 up to here are in it.
    var contiguous: Int64 {
        guard let first = ranges.first, first.lowerBound <= 1 else { return 0 }
        return first.upperBound
    }

    var highest: Int64 { ranges.last?.upperBound ?? 0 }

    /// What is behind the first gap, the first of it.
    func beyond(max: Int) -> [ClosedRange<Int64>] {
        guard highest > contiguous else { return [] }
        return Array(ranges.drop { $0.lowerBound <= 1 }.prefix(max))
    }

    func contains(_ number: Int64) -> Bool {
        guard number <= highest else { return false }
        let index = firstIndex(endingFrom: number)
        return index < ranges.count && ranges[index].contains(number)
    }

    mutating func insert(_ number: Int64) {
        guard !contains(number) else { return }
        let index = firstIndex(endingFrom: number - 1)
        guard index < ranges.count, ranges[index].lowerBound <= number + 1 else {
            ranges.insert(number...number, at: index)
            return
        }
        let joined = min(ranges[index].lowerBound, number)...max(ranges[index].upperBound, number)
        if index + 1 < ranges.count, ranges[index + 1].lowerBound == joined.upperBound + 1 {
            ranges[index] = joined.lowerBound...ranges[index + 1].upperBound
            ranges.remove(at: index + 1)
        } else {
            ranges[index] = joined
        }
    }

    /// The first gaps from a number up to another, at most `limit` of them and at most `countMax` numbers in all.
    func missing(from first: Int64 = 1, upTo last: Int64, limit: Int, countMax: Int64) -> [ClosedRange<Int64>] {
        var gaps: [ClosedRange<Int64>] = []
        var next = first
        var left = countMax
        for range in ranges {
            if range.lowerBound > last { break }
            if next < range.lowerBound { add(next...range.lowerBound - 1, to: &gaps, &left) }
            next = max(next, range.upperBound + 1)
            if gaps.count == limit || left == 0 { return gaps }
        }
        if next <= last { add(next...last, to: &gaps, &left) }
        return gaps
    }

    private func add(_ gap: ClosedRange<Int64>, to gaps: inout [ClosedRange<Int64>], _ left: inout Int64) {
        let count = min(gap.upperBound - gap.lowerBound + 1, left)
        guard count > 0 else { return }
        gaps.append(gap.lowerBound...gap.lowerBound + count - 1)
        left -= count
    }

    /// The first range that ends at or behind a number; looked for from the end, where numbers are new.
    private func firstIndex(endingFrom number: Int64) -> Int {
        var index = ranges.count
        while index > 0, ranges[index - 1].upperBound >= number { index -= 1 }
        return index
    }
}

extension [Int64] {
    /// The numbers of one origin as ranges.
    func asRanges(of origin: NodeName) -> [LogRange] {
        var intervals = Intervals()
        for number in self { intervals.insert(number) }
        return intervals.ranges.map { LogRange(origin: origin, numbers: $0) }
    }
}
