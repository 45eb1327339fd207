import ArgumentParser
import OrderBook
import Store

struct OrderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "order", abstract: "Show one order and its state.",
        discussion: """
            Example:
              pgbook order 0197c1d8-5a00-7000-8000-000000000000
              pgbook order --client-order-id my-order-7
            """)

    @Argument(help: "The order's id.")
    var id: String?
    @Option(help: "Find it by your own id instead.")
    var clientOrderID: String?
    @OptionGroup var user: UserOption
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if (id == nil) == (clientOrderID == nil) { throw ValidationError("give an id or --client-order-id") }
    }

    func run() throws {
        let id = try id.map { text throws(Failure) in try orderID(text) }
        let connection = try connection.connect(for: .reading)
        let order =
            if let id { try connection.order(id) } else {
                try connection.order(clientOrderID: clientOrderID ?? "", user: user.id)
            }
        guard let order else {
            throw Failure(
                .refused,
                "there is no order \(id?.description ?? clientOrderID ?? ""); pgbook orders --all lists the latest",
                code: OutcomeCode.unknownOrder.name, field: "id")
        }
        if output.json { print(order.json) } else { showOrder(order) }
    }
}

/// Every column that says something, one per line.
func showOrder(_ order: OrderRecord) {
    let facts: [(String, String?)] = [
        ("order", order.id.description), ("status", order.status), ("reason", order.reason), ("side", order.side.word),
        ("market", order.market), ("amount", "\(order.amount)"), ("price", order.price.map { "\($0)" } ?? "market"),
        ("filled", "\(order.filled)"), ("average price", order.averagePrice.map { "\($0)" }),
        ("remaining", "\(order.remaining)"), ("user", order.user.rawValue), ("time in force", order.timeInForce),
        ("expires", order.expires?.iso), ("post-only", order.postOnly ? "yes" : nil),
        ("self-trade prevention", order.selfTradePrevention), ("client order id", order.clientOrderID),
        ("entered at", order.time.iso), ("executed at", order.executedAt?.iso),
        ("execution", order.seq.map { "\($0.rawValue)" }), ("origin", order.origin),
    ]
    for (name, value) in facts {
        if let value { print(Screen.standard.styled(name.padded(to: 23), .dim) + printable(value)) }
    }
}

struct OrdersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orders", abstract: "List open orders, or with --all the latest of any state.",
        discussion: """
            Example:
              pgbook orders BTC-USD --user alice
              pgbook orders --all --limit 50 --json
            """)

    @Argument(help: "The market; without it, all markets.")
    var market: String?
    @Flag(help: "Orders of any state, latest first.")
    var all = false
    @Option(help: "At most so many (up to \(limitMax)).")
    var limit = 20
    @Option(help: "Only this user's orders.")
    var user: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws { try requireLimit(limit) }

    func run() throws {
        let orders = try connection.connect(for: .reading).orders(
            market: market, user: user.map { UserID($0) }, openOnly: !all, limit: limit)
        if output.json { return print(JSON.array(orders.map(\.json))) }
        showOrders(orders, openOnly: !all)
    }
}

func showOrders(_ orders: [OrderRecord], openOnly: Bool) {
    guard !orders.isEmpty else { return print(openOnly ? "no open orders" : "no orders") }
    var table = Table(
        ("order", .left), ("time", .left), ("user", .left), ("side", .left), ("amount", .point), ("price", .point),
        ("market", .left), ("status", .left), ("filled", .point), ("remaining", .point))
    for order in orders {
        table.add(
            order.id.description, order.time.short, order.user.rawValue, order.side.word, "\(order.amount)",
            order.price.map { "\($0)" } ?? "market", order.market,
            order.status + (order.status == "refused" ? " (\(order.reason ?? ""))" : ""), "\(order.filled)",
            "\(order.remaining)", style: order.side == .bid ? .bid : .ask)
    }
    printLines(table.lines(on: .standard))
}

/// The most rows that one listing shows.
let limitMax = 10_000

func requireLimit(_ limit: Int) throws {
    guard (1...limitMax).contains(limit) else { throw ValidationError("--limit \(limit) is outside 1 to \(limitMax)") }
}

struct TradesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trades", abstract: "List a market's latest trades, latest first.",
        discussion: """
            Example:
              pgbook trades BTC-USD --limit 100 --json
            """)

    @Argument(help: "The market; may be left out where there is one only.")
    var market: String?
    @Option(help: "At most so many (up to \(limitMax)).")
    var limit = 20
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws { try requireLimit(limit) }

    func run() throws {
        let connection = try connection.connect(for: .reading)
        let market = try connection.theMarket(market)
        let trades = try connection.latestTrades(market, limit: Int32(limit))
        if output.json { return print(JSON.array(trades.map(\.json))) }
        showTrades(trades)
    }
}

func showTrades(_ trades: [TradeRecord]) {
    guard !trades.isEmpty else { return print("no trades yet") }
    var table = Table(
        ("trade", .right), ("time", .left), ("side", .left), ("price", .point), ("amount", .point), ("total", .point),
        ("taker", .left), ("maker", .left))
    for trade in trades {
        table.add(
            "\(trade.id.rawValue)", trade.time.short, trade.side.word, "\(trade.price)", "\(trade.amount)",
            "\(trade.total)", trade.user?.rawValue ?? "", trade.makerUser?.rawValue ?? "",
            style: trade.side == .bid ? .bid : .ask)
    }
    printLines(table.lines(on: .standard))
}
