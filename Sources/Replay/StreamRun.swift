public import OrderBook

/// Replays a command stream through a book in memory.
public struct StreamRun: Sendable {
    public private(set) var book = OrderBook(state: MarketState(), completeness: .complete)
    private var reader: StreamReader
    private var mapper = StreamMapper(run: 0)
    private var renderer = StreamRenderer(run: 0)

    public init(_ stream: [UInt8]) { reader = StreamReader(stream) }

    /// Runs the stream to its end and gives its results, the final book included.
    public mutating func run() throws(ReplayError) -> [UInt8] {
        var time = Timestamp(0)
        while let item = try reader.next() {
            switch mapper.step(for: item) {
            case .execute(let command):
                time.rawValue += 1
                let outcome = book.execute(
                    Command(id: command.id, time: time, market: "", user: UserID(""), action: command.action))
                renderer.render(command, outcome, trades: book.takeJournal().trades)
            case .refuse(let number, let refusal):
                renderer.render(refused: number, refusal)
            case .snapshot(let label, let depth):
                renderer.render(
                    snapshot: label, depth: depth, bids: book.levels(.bid, depth: depth),
                    asks: book.levels(.ask, depth: depth))
            }
        }
        renderer.render(finalBids: book.levels(.bid), asks: book.levels(.ask))
        return renderer.take()
    }
}
