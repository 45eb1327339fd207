public import OrderBook

/// Replays a conformance workload through a book in memory.
public struct ConformanceRun: Sendable {
    public private(set) var book = OrderBook(state: MarketState(), completeness: .complete)
    public private(set) var messageCount = 0
    public private(set) var tradeCount = 0
    private var mapper = ConformanceMapper(run: 0)
    private var renderer = ConformanceRenderer(run: 0)

    public init() {}

    /// Executes one message.
    public mutating func execute(_ message: ConformanceMessage) {
        let command = mapper.command(for: message)
        messageCount += 1
        let outcome = book.execute(
            Command(
                id: command.id, time: Timestamp(Int64(messageCount)), market: "", user: UserID(""),
                action: command.action))
        let journal = book.takeJournal()
        tradeCount += journal.trades.count
        renderer.render(command, outcome, trades: journal.trades)
    }

    /// The reports written since the last call; each line ends with a line feed.
    public mutating func takeReports() -> [UInt8] { renderer.take() }

    /// Runs a whole workload and gives the digest of its reports.
    ///
    /// - Parameter progress: told the number of bytes read, every 65,536 messages.
    public static func digest(
        of workload: [UInt8], progress: (Int) -> Void = { _ in }
    ) throws(ReplayError) -> (digest: Digest, run: ConformanceRun) {
        var run = ConformanceRun()
        var reader = ConformanceReader(workload)
        var digest = ReportDigest()
        while let message = try reader.next() {
            run.execute(message)
            if run.messageCount & 0xfff == 0 { digest.update(run.takeReports()) }
            if run.messageCount & 0xffff == 0 { progress(reader.bytesRead) }
        }
        digest.update(run.takeReports())
        return (digest.finalize(), run)
    }
}

/// The SHA-256 of report lines joined by line feeds: the last one bears none.
public struct ReportDigest: Sendable {
    private var hash = SHA256()
    private var isEmpty = true

    public init() {}

    /// - Parameter lines: whole lines, each ended by a line feed.
    public mutating func update(_ lines: [UInt8]) {
        guard !lines.isEmpty else { return }
        if !isEmpty { hash.update(UInt8(ascii: "\n")) }
        isEmpty = false
        hash.update(lines.dropLast())
    }

    public func finalize() -> Digest { hash.finalize() }
}
