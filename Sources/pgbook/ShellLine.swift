import OrderBook
import Postgres
import Store

/// One line of the shell, understood.
enum ShellLine {
    case nothing
    case place(PlaceEntry, market: String?, clientOrderID: String?)
    case amend(OrderReference, amount: PostgresNumeric?, price: PostgresNumeric?)
    case reduce(OrderReference, by: PostgresNumeric)
    case cancel(OrderReference)
    case cancelAll(Side?)
    case order(OrderReference)
    case orders(all: Bool)
    case book(depth: Int)
    case trades(limit: Int)
    case market(String)
    case markets
    case user(String?)
    case help
    case quit

    /// An order by its id, or the last one placed in this shell.
    enum OrderReference {
        case id(OrderID)
        case last
    }

    static let manual = """
        buy AMOUNT @ PRICE     place a limit order; sell likewise (or bid, ask)
        sell AMOUNT market     place a market order
          then, in any order:  ioc fok post-only   dc co cn cb (self-trade prevention)
                               expires 10m         in MARKET         id YOUR-OWN-ID
        cancel ID              cancel an order; 'last' is the last one placed here
        amend ID amount N price P      give it a new total amount, a new price, or both
        reduce ID N            take N off what is open
        cancel-all [buy|sell]  cancel your orders in this market
        order ID               show one order
        orders [all]           your open orders in this market, or the latest of any state
        book [DEPTH]           the aggregated book
        trades [N]             the latest trades
        market [NAME]          go to another market, or list the markets
        user [NAME]            act for another user (takes the node's role), or for yourself again
        help, quit             # begins a comment
        """

    static let verbs = [
        "buy", "sell", "bid", "ask", "cancel", "amend", "reduce", "cancel-all", "order", "orders", "book", "trades",
        "market", "markets", "user", "help", "quit", "exit",
    ]
}

extension ShellLine {
    /// - Throws: `Failure` of status `usage` where the line is not understood, `refused` where a value in it is bad.
    init(_ line: String) throws(Failure) {
        var words = Words(line)
        guard let verb = words.next() else {
            self = .nothing
            return
        }
        self = try ShellLine(verb: verb, &words)
        if let extra = words.next() {
            throw Failure(.usage, "'\(extra)' is too much after '\(verb)'; help shows how it goes")
        }
    }

    private init(verb: String, _ words: inout Words) throws(Failure) {
        switch verb.lowercased() {
        case "buy", "bid", "sell", "ask": self = try .place(&words, side: pgbook.side(verb))
        case "cancel": self = .cancel(try words.order(verb))
        case "amend": self = try .amend(&words)
        case "reduce": self = .reduce(try words.order(verb), by: try words.number("amount"))
        case "cancel-all":
            let word = words.next()
            self = .cancelAll(try word.map { word throws(Failure) in try pgbook.side(word) })
        case "order": self = .order(try words.order(verb))
        case "orders": self = .orders(all: words.take("all"))
        case "book": self = .book(depth: try words.count(10))
        case "trades": self = .trades(limit: try words.count(20))
        case "market", "markets": self = words.next().map { .market($0) } ?? .markets
        case "user": self = .user(words.next())
        case "help", "?": self = .help
        case "quit", "exit", "q": self = .quit
        default:
            let hint =
                nearest(to: verb.lowercased(), in: ShellLine.verbs).map { "did you mean '\($0)'?" }
                ?? "help lists the commands"
            throw Failure(.usage, "'\(verb.prefix(40))' is not a command; \(hint)")
        }
    }

    private static func place(_ words: inout Words, side: Side) throws(Failure) -> ShellLine {
        let amount = try words.number("amount")
        var order = PlaceEntry(side: side, amount: amount, price: nil)
        guard let how = words.next() else {
            throw Failure(.usage, "at what price? say '@ PRICE' for a limit order, or 'market'")
        }
        switch how.lowercased() {
        case "market": break
        case "@", "limit", "at": order.price = try words.number("price")
        case _ where how.hasPrefix("@"): order.price = try decimal(String(how.dropFirst()), "price")
        default: throw Failure(.usage, "'\(how)' comes where '@ PRICE' or 'market' belongs")
        }
        var (market, clientOrderID, tif, expires): (String?, String?, String?, String?)
        while let word = words.next()?.lowercased() {
            switch word {
            case "gtc", "ioc", "fok", "gtd": tif = word
            case "post-only": order.postOnly = true
            case "dc", "co", "cn", "cb": order.selfTradePrevention = try prevention(word)
            case "expires": expires = try words.word("expires", "a time or a span such as 10m")
            case "in": market = try words.word("in", "a market")
            case "id": clientOrderID = try words.word("id", "your own id")
            default: throw Failure(.usage, "'\(word)' is not an option of an order; help lists them")
            }
        }
        order.timeInForce = try timeInForce(tif, expires: expires)
        return .place(order, market: market, clientOrderID: clientOrderID)
    }

    private static func amend(_ words: inout Words) throws(Failure) -> ShellLine {
        let order = try words.order("amend")
        var (amount, price): (PostgresNumeric?, PostgresNumeric?)
        while let word = words.next()?.lowercased() {
            switch word {
            case "amount": amount = try words.number("amount")
            case "price", "@": price = try words.number("price")
            default: throw Failure(.usage, "'\(word)' is not what an amend takes; say: amend ID amount N price P")
            }
        }
        if amount == nil, price == nil { throw Failure(.usage, "nothing to change; say: amend ID amount N price P") }
        return .amend(order, amount: amount, price: price)
    }
}

/// The words of a line, from left to right.
private struct Words {
    private var rest: ArraySlice<Substring>

    init(_ line: String) {
        let code = line.prefix { $0 != "#" }
        rest = code.split { $0.isWhitespace }[...]
    }

    mutating func next() -> String? { rest.popFirst().map { String($0) } }

    mutating func take(_ word: String) -> Bool {
        guard rest.first?.lowercased() == word else { return false }
        rest.removeFirst()
        return true
    }

    mutating func word(_ before: String, _ what: String) throws(Failure) -> String {
        guard let word = next() else { throw Failure(.usage, "'\(before)' wants \(what) after it") }
        return word
    }

    mutating func number(_ field: String) throws(Failure) -> PostgresNumeric {
        guard let word = next() else {
            throw Failure(.usage, "\(field == "amount" ? "an amount" : "a \(field)") is missing")
        }
        return try decimal(word, field)
    }

    mutating func count(_ usual: Int) throws(Failure) -> Int {
        guard let word = next() else { return usual }
        guard let count = Int(word), (1...limitMax).contains(count) else {
            throw Failure(.usage, "'\(word)' is not a number from 1 to \(limitMax)")
        }
        return count
    }

    mutating func order(_ verb: String) throws(Failure) -> ShellLine.OrderReference {
        guard let word = next() else { throw Failure(.usage, "\(verb) which order? give its id, or 'last'") }
        return word.lowercased() == "last" ? .last : .id(try orderID(word))
    }
}
