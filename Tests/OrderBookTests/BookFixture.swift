import OrderBook

/// A complete book with short words for commands: what a test says is what the rule needs.
struct BookFixture {
    var book: OrderBook
    private var count: UInt64 = 0
    /// The time of the next command; a test sets it where it matters.
    var time: Int64 = 1

    /// - Parameter seq: how many commands were executed before. The numbers of further commands follow.
    init(_ completeness: OrderBook.Completeness = .complete, seq: Int64 = 0, limits: MarketLimits = .none) {
        book = OrderBook(state: MarketState(seq: Seq(seq)), completeness: completeness, limits: limits)
        count = UInt64(seq)
    }

    @discardableResult
    mutating func execute(_ action: Command.Action, by user: String = "ann", isLate: Bool = false) -> Outcome {
        count += 1
        return book.execute(command(count, action, by: user), isLate: isLate)
    }

    func command(_ number: UInt64, _ action: Command.Action, by user: String = "ann") -> Command {
        Command(id: order(number), time: Timestamp(time), market: "M", user: UserID(user), action: action)
    }

    /// The id of the command executed as the given number: 1, 2, 3 …
    func order(_ number: UInt64) -> OrderID { OrderID(high: 0, low: number) }

    @discardableResult
    mutating func buy(_ amount: Int64, at price: Int64?, by user: String = "ann", _ options: Options = Options())
        -> Outcome
    {
        execute(options.place(.bid, amount, price), by: user)
    }

    @discardableResult
    mutating func sell(_ amount: Int64, at price: Int64?, by user: String = "bob", _ options: Options = Options())
        -> Outcome
    {
        execute(options.place(.ask, amount, price), by: user)
    }

    @discardableResult
    mutating func cancel(_ number: UInt64, by user: String = "ann") -> Outcome {
        execute(.cancel(order(number)), by: user)
    }

    @discardableResult
    mutating func amend(_ number: UInt64, _ change: Amend.Change, by user: String = "ann") -> Outcome {
        execute(.amend(Amend(target: order(number), change: change)), by: user)
    }

    /// Trades since the last look: maker number, price, amount.
    mutating func trades() -> [[Int64]] {
        book.takeJournal().trades.map { [Int64($0.makerOrder.low), $0.price.rawValue, $0.amount.rawValue] }
    }

    /// A side in the order in which it is served: number of the order, price, open amount.
    func queue(_ side: Side) -> [[Int64]] {
        book.orders(side).map { [Int64($0.id.low), $0.price.rawValue, $0.open.rawValue] }
    }
}

/// The options of a place, plain unless said otherwise.
struct Options: Sendable {
    var timeInForce: TimeInForce = .gtc
    var postOnly = false
    var prevention: SelfTradePrevention?

    func place(_ side: Side, _ amount: Int64, _ price: Int64?) -> Command.Action {
        .place(
            Place(
                side: side, price: price.map { PriceTicks($0) }, amount: AmountLots(amount), timeInForce: timeInForce,
                postOnly: postOnly, selfTradePrevention: prevention))
    }

    static let ioc = Options(timeInForce: .ioc)
    static let fok = Options(timeInForce: .fok)
    static let postOnly = Options(postOnly: true)
    static func gtd(_ expires: Int64) -> Options { Options(timeInForce: .gtd(expires: Timestamp(expires))) }
    static func preventing(_ prevention: SelfTradePrevention, _ timeInForce: TimeInForce = .gtc) -> Options {
        Options(timeInForce: timeInForce, prevention: prevention)
    }
}

/// The amounts of an outcome.
struct Amounts: Equatable, Sendable {
    var filled: Int64
    var remaining: Int64
    var dropped: Int64

    init(_ filled: Int64, _ remaining: Int64, _ dropped: Int64) {
        self.filled = filled
        self.remaining = remaining
        self.dropped = dropped
    }

    init(_ outcome: Outcome) {
        self.init(outcome.filled.rawValue, outcome.remaining.rawValue, outcome.dropped.rawValue)
    }
}
