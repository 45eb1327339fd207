import Store

/// How much of a market's commands is executed at once. After a batch that failed for the fault of one of its commands it
/// is halved until that one stands alone at the front; then it is refused, and the others go on.
struct CarefulMarkets {
    private var care: [MarketNumber: MatchingBatch.Care] = [:]

    subscript(market: MarketNumber) -> MatchingBatch.Care { care[market] ?? .none }

    /// - Returns: false where care does not help: the first command cannot even be refused.
    mutating func failed(_ market: MarketNumber, of commandsMax: Int, because words: String) -> Bool {
        switch self[market] {
        case .none: care[market] = commandsMax > 1 ? .atMost(commandsMax / 2) : .refusingFirst(words)
        case .atMost(let count): care[market] = count > 1 ? .atMost(count / 2) : .refusingFirst(words)
        case .refusingFirst:
            care[market] = nil
            return false
        }
        return true
    }

    mutating func succeeded(_ market: MarketNumber, of commandsMax: Int) {
        guard !care.isEmpty, case .atMost(let count) = self[market], count * 2 < commandsMax else {
            care[market] = nil
            return
        }
        care[market] = .atMost(count * 2)
    }
}
