/// Random numbers that a seed determines (SplitMix64).
struct Chance: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 ^ 0x5851_f42d_4c95_7f2d }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func below(_ limit: Int64) -> Int64 { limit <= 1 ? 0 : Int64(next() % UInt64(limit)) }

    mutating func within(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    mutating func index(_ count: Int) -> Int { Int(below(Int64(count))) }

    mutating func pick<T>(_ choices: [T]) -> T { choices[index(choices.count)] }

    mutating func happens(percent: Int64) -> Bool { below(100) < percent }
}

/// A value that tells two runs apart.
struct TraceHash: Hashable, Sendable {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ word: UInt64) {
        value = (value ^ word) &* 0x1_0000_01b3
        value ^= value >> 29
    }

    mutating func add(_ word: Int64) { add(UInt64(bitPattern: word)) }
    mutating func add(_ word: Int) { add(UInt64(bitPattern: Int64(word))) }
}
