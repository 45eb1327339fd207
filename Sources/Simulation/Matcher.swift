import OrderBook
import Replication

/// Executes what its node has closed, by the production order book.
struct Matcher: Sendable {
    static let markets = ["A", "B"]

    private var books: [OrderBook]
    /// How much of the history is executed.
    private(set) var executed = 0
    /// By market and seq - 1: the head of the digest.
    private var heads: [[Int64]]
    /// Somebody wrote into its tables.
    private(set) var isTampered = false

    init() {
        books = Self.markets.map { _ in OrderBook(state: MarketState(), completeness: .complete) }
        heads = Self.markets.map { _ in [] }
    }

    var digests: [Digest] { books.map(\.state.digest) }

    /// - Returns: where the markets are that went on.
    mutating func run(_ history: [LogItem]) -> [MarketPosition] {
        var touched: Set<Int> = []
        while executed < history.count {
            let command = history[executed].command
            let market = Self.markets.firstIndex(of: command.market) ?? 0
            books[market].execute(command)
            heads[market].append(Int64(bitPattern: books[market].state.digest.words.0))
            touched.insert(market)
            executed += 1
        }
        for market in touched { _ = books[market].takeJournal() }
        return touched.sorted().map(position)
    }

    /// Where all markets are.
    var positions: [MarketPosition] { books.indices.filter { !heads[$0].isEmpty }.map(position) }

    private func position(of market: Int) -> MarketPosition {
        MarketPosition(
            market: Self.markets[market], seq: books[market].state.seq, digestHead: heads[market].last ?? 0)
    }

    /// This node's heads at another's positions.
    func compare(_ positions: [MarketPosition]) -> (equal: [MarketPosition], differing: [MarketPosition]) {
        var result: (equal: [MarketPosition], differing: [MarketPosition]) = ([], [])
        for position in positions {
            guard let market = Self.markets.firstIndex(of: position.market), position.seq.rawValue > 0,
                position.seq.rawValue <= heads[market].count
            else { continue }
            let mine = heads[market][Int(position.seq.rawValue) - 1]
            if mine == position.digestHead {
                result.equal.append(position)
            } else {
                result.differing.append(MarketPosition(market: position.market, seq: position.seq, digestHead: mine))
            }
        }
        return result
    }

    /// What a computation from the log finds.
    var damage: String? { isTampered ? "a resting order that nobody placed" : nil }

    /// Puts an order into the book that nobody placed.
    mutating func tamper(_ id: OrderID) {
        isTampered = true
        let row = RestingOrder(
            id: id, user: UserID("mallory"), side: .ask, price: PriceTicks(95), amount: AmountLots(3),
            filled: .zero, dropped: .zero, notional: .zero, priority: Seq(0), expires: nil, postOnly: false,
            selfTradePrevention: nil)
        books[0].load(named: [row])
    }
}
