/// What a market's next execution depends on besides the book. One row per market; whoever matches holds its lock.
public struct MarketState: Hashable, Sendable {
    /// The last execution number given.
    public var seq: Seq
    /// The last trade number given.
    public var tradeID: TradeID
    public var lastPrice: PriceTicks?
    /// The latest command time executed: trades are stamped, and gtd orders expire, by this clock, which never falls.
    public var clock: Timestamp
    public var isHalted: Bool
    public var digest: Digest

    public init(
        seq: Seq = Seq(0), tradeID: TradeID = TradeID(0), lastPrice: PriceTicks? = nil,
        clock: Timestamp = Timestamp(Int64.min), isHalted: Bool = false, digest: Digest = .zero
    ) {
        self.seq = seq
        self.tradeID = tradeID
        self.lastPrice = lastPrice
        self.clock = clock
        self.isHalted = isHalted
        self.digest = digest
    }
}

/// A SHA-256 value: four big-endian words.
public struct Digest: Hashable, Sendable {
    public var words: (UInt64, UInt64, UInt64, UInt64)

    public init(_ words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }
    public static let zero = Digest((0, 0, 0, 0))

    public static func == (a: Self, b: Self) -> Bool { a.words == b.words }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }

    /// 32 bytes, big-endian.
    public var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
        }
    }

    /// Nil unless there are exactly 32 bytes.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        var words: [UInt64] = [0, 0, 0, 0]
        for (index, byte) in bytes.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(byte) }
        self.init((words[0], words[1], words[2], words[3]))
    }
}
