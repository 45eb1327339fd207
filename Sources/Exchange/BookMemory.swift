import OrderBook
import Store

/// Books that stay in memory between batches of the inbox. They are copies: whoever takes one proves that the market
/// still stands where it was, and a batch that fails gives nothing back.
public final class BookMemory {
    private let limits: ExchangeLimits
    /// Has the books of the markets that it executes commands of as well.
    private let exchange: DirectExchange?
    private var books: [MarketNumber: OrderBook] = [:]
    /// Where rows stand that change again and again.
    let places: RowPlaces

    public init(limits: ExchangeLimits, sharedWith exchange: DirectExchange? = nil) {
        self.limits = limits
        self.exchange = exchange
        places = exchange?.places ?? RowPlaces()
    }

    /// Hands a book over; it is gone here.
    func take(_ market: MarketNumber) -> OrderBook? {
        exchange?.lend(market) ?? books.removeValue(forKey: market)
    }

    /// A book that was handed over does not stand where the rows do.
    func giveUp(_ market: MarketNumber) {
        exchange?.giveUp(market)
        places.forget()
    }

    /// Takes a book that stands where the rows do.
    func keep(_ book: consuming OrderBook, of market: MarketNumber) {
        if book.closedCount > limits.closedRememberedMax { book.forgetClosed() }
        if let exchange {
            guard let left = exchange.takeBack(book, of: market) else { return }
            books[market] = left
        } else {
            books[market] = book
        }
        guard books.count <= limits.marketsInMemoryMax,
            books.values.reduce(0, { $0 + $1.orderCount }) <= limits.ordersInMemoryMax
        else {
            books = [:]
            return
        }
    }
}
