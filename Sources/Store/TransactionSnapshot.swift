public import OrderBook

/// Which transactions are running at a moment, of those that have a number.
public struct TransactionSnapshot: Hashable, Sendable {
    /// The lowest number that is running.
    public var oldest: UInt64
    /// The number that the next transaction gets.
    public var next: UInt64
    public var running: Set<UInt64>

    /// From the server's text, `oldest:next:running,running`.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let oldest = UInt64(parts[0]), let next = UInt64(parts[1]) else { return nil }
        self.oldest = oldest
        self.next = next
        running = Set(parts[2].split(separator: ",").compactMap { UInt64($0) })
    }

    public func isRunning(_ transaction: UInt64) -> Bool {
        transaction >= next || (transaction >= oldest && running.contains(transaction))
    }
}

/// Which part of the inbox is searched.
public struct InboxSearch: Hashable, Sendable {
    /// Commands stamped later.
    public var after: Timestamp
    /// Markets that are searched from the beginning.
    public var behind: Set<MarketNumber>

    public init(after: Timestamp, behind: Set<MarketNumber> = []) {
        self.after = after
        self.behind = behind
    }

    public static let everything = InboxSearch(after: Timestamp(Int64.min))
}
