import ArgumentParser
import OrderBook
import Postgres
import Store

struct PlaceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "place", abstract: "Place an order, and show its fills.",
        discussion: """
            Without --price it is a market order.

            Example:
              pgbook place buy 10 BTC-USD --price 101.5
              pgbook place sell 2.5 BTC-USD --price 102 --post-only --expires 10m
              pgbook place buy 1 BTC-USD --tif ioc --stp cn --client-order-id my-order-7

            A retry with the same client order id returns the first order and its outcome.
            """)

    @Argument(help: "buy or sell (or bid, ask).")
    var side: String
    @Argument(help: "How much, in base units.")
    var amount: String
    @Argument(help: "The market, such as BTC-USD.")
    var market: String
    @Option(parsing: .unconditional, help: "The limit price, in quote units.")
    var price: String?
    @Option(name: [.customLong("tif"), .customLong("time-in-force")], help: "gtc (default), ioc, fok or gtd.")
    var timeInForce: String?
    @Option(help: "When a gtd order ends: a span such as 10m, or a time such as 2026-11-21T10:00:00Z.")
    var expires: String?
    @Flag(help: "Refuse the order rather than trade at once.")
    var postOnly = false
    @Option(
        name: [.customLong("stp"), .customLong("self-trade-prevention")],
        help: "When meeting one's own order: dc, co, cn or cb (decrement, cancel oldest, newest, both).")
    var selfTradePrevention: String?
    @Option(help: "Your own id for the order, unique per user.")
    var clientOrderID: String?
    @Option(help: "The order's id, a UUID that you made.")
    var id: String?
    @OptionGroup var user: UserOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let entry = PlaceEntry(
            side: try pgbook.side(side), amount: try decimal(amount, "amount"),
            price: try price.map { text throws(Failure) in try decimal(text, "price") },
            timeInForce: try pgbook.timeInForce(timeInForce, expires: expires), postOnly: postOnly,
            selfTradePrevention: try selfTradePrevention.map { word throws(Failure) in try prevention(word) })
        let id = try id.map { text throws(Failure) in try orderID(text) }
        let desk = try wait.desk(connection.connect(for: .entering), asJSON: output.json)
        try desk.finish(
            desk.connection.placeOrder(
                entry, market: market, user: user.id, clientOrderID: clientOrderID, id: id))
    }
}

extension WaitOptions {
    /// The desk of a single command. Ctrl-C ends its waiting, not its command, which is then named; a second one ends
    /// the process, should the database not even take the command in.
    func desk(_ connection: Connection, asJSON: Bool) throws -> Desk {
        guard !noWait else { return try Desk(connection, asJSON: asJSON, patience: nil) }
        var desk = try Desk(connection, asJSON: asJSON, patience: timeout.duration)
        let interruption = Interruption(of: connection.interrupt, isOnce: true)
        desk.isStopped = { interruption.hasCome }
        return desk
    }
}
