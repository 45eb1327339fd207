import OrderBook
import Store

/// A market whose book stays in memory between transactions. It is a copy: each transaction proves it against the rows,
/// and it is thrown away when it does not hold.
final class LiveMarket {
    let market: VersionedMarket
    var book: OrderBook
    /// When the next gtd order expires that may not be in memory.
    var nextExpiry: Timestamp?

    init(_ market: VersionedMarket, state: MarketState, nextExpiry: Timestamp?) {
        self.market = market
        self.nextExpiry = nextExpiry
        book = OrderBook(state: state, completeness: .unloaded, limits: market.market.limits)
    }

    var number: MarketNumber { market.market.number }

    /// The book, of which there is then no other copy.
    func giveBook() -> OrderBook {
        var given = OrderBook(state: MarketState(), completeness: .unloaded)
        swap(&given, &book)
        return given
    }
}

/// The markets that are in memory.
struct LiveMarkets {
    /// What is known of markets' sizes and limits.
    private(set) var directory: [MarketNumber: VersionedMarket] = [:]
    private var numbers: [String: MarketNumber] = [:]
    private var live: [MarketNumber: LiveMarket] = [:]
    /// Those whose books somebody else is changing.
    private var lent: [MarketNumber: LiveMarket] = [:]

    subscript(number: MarketNumber) -> LiveMarket? { live[number] }

    func number(of symbol: String) -> MarketNumber? { numbers[symbol] }

    mutating func learn(_ markets: [VersionedMarket]) {
        directory = Dictionary(uniqueKeysWithValues: markets.map { ($0.market.number, $0) })
        numbers = Dictionary(uniqueKeysWithValues: markets.map { ($0.market.symbol, $0.market.number) })
    }

    mutating func insert(_ market: LiveMarket) { live[market.number] = market }

    mutating func remove(_ number: MarketNumber) { live[number] = nil }

    /// Hands the book of a market over.
    mutating func lend(_ number: MarketNumber) -> OrderBook? {
        lent[number] = live.removeValue(forKey: number)
        guard let market = lent[number] else { return nil }
        return market.giveBook()
    }

    /// The book that was handed over does not hold.
    mutating func giveUp(_ number: MarketNumber) { lent[number] = nil }

    /// Takes a book that stands where the rows do.
    /// - Returns: the book, where nothing is known of its market.
    mutating func takeBack(_ book: consuming OrderBook, of number: MarketNumber) -> OrderBook? {
        if let market = lent.removeValue(forKey: number) {
            market.book = book
            live[number] = market
        } else if let market = directory[number] {
            // When its next order expires that is not in memory is not known: at once, until the rows are read.
            let market = LiveMarket(market, state: MarketState(), nextExpiry: Timestamp(Int64.min))
            market.book = book
            live[number] = market
        } else {
            return book
        }
        return nil
    }

    /// Forgets everything that was not proven.
    mutating func removeAll() {
        live = [:]
        lent = [:]
        directory = [:]
        numbers = [:]
    }

    /// The market of an order that some book knows, and whose it is.
    func find(_ order: OrderID) -> (market: MarketNumber, owner: UserID)? {
        for market in live.values {
            if let owner = market.book.owner(of: order) { return (market.number, owner) }
        }
        return nil
    }

    /// Gives memory back: what the rows hold can be loaded again.
    mutating func trim(to limits: ExchangeLimits) {
        var orders = 0
        for market in live.values {
            if market.book.closedCount > limits.closedRememberedMax { market.book.forgetClosed() }
            orders += market.book.orderCount
        }
        guard orders > limits.ordersInMemoryMax || live.count > limits.marketsInMemoryMax else { return }
        live = [:]
    }
}
