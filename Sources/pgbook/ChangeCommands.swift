import ArgumentParser
import OrderBook
import Store

struct AmendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "amend", abstract: "Give an order a new amount, a new price, or both.",
        discussion: """
            A smaller amount at the same price keeps the order's place in the queue; anything else goes to the back.
            --amount is the new total, filled part included; --reduce takes an amount off what is open.

            Example:
              pgbook amend 0197c1d8-5a00-7000-8000-000000000000 --amount 5 --price 101
              pgbook amend 0197c1d8-5a00-7000-8000-000000000000 --reduce 2
            """)

    @Argument(help: "The order's id.")
    var id: String
    @Option(parsing: .unconditional, help: "The new total amount.")
    var amount: String?
    @Option(parsing: .unconditional, help: "The new price.")
    var price: String?
    @Option(parsing: .unconditional, help: "How much to take off what is open.")
    var reduce: String?
    @Option(help: "Your own id for this command, unique per user.")
    var clientOrderID: String?
    @OptionGroup var user: UserOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if reduce != nil, amount != nil || price != nil {
            throw ValidationError("--reduce stands alone; leave out --amount and --price")
        }
        if reduce == nil, amount == nil, price == nil {
            throw ValidationError("nothing to change; give --amount, --price or --reduce")
        }
    }

    func run() throws {
        let order = try orderID(id)
        let amount = try amount.map { text throws(Failure) in try decimal(text, "amount") }
        let price = try price.map { text throws(Failure) in try decimal(text, "price") }
        let reduction = try reduce.map { text throws(Failure) in try decimal(text, "amount") }
        let desk = try wait.desk(connection.connect(for: .entering), asJSON: output.json)
        if let reduction {
            try desk.finish(
                desk.connection.reduceOrder(order, by: reduction, user: user.id, clientOrderID: clientOrderID))
        } else {
            try desk.finish(
                desk.connection.amendOrder(
                    order, amount: amount, price: price, user: user.id, clientOrderID: clientOrderID))
        }
    }
}

struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Cancel an order.",
        discussion: """
            Example:
              pgbook cancel 0197c1d8-5a00-7000-8000-000000000000
            """)

    @Argument(help: "The order's id.")
    var id: String
    @OptionGroup var user: UserOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let order = try orderID(id)
        let desk = try wait.desk(connection.connect(for: .entering), asJSON: output.json)
        try desk.finish(desk.connection.cancelOrder(order, user: user.id))
    }
}

struct CancelAllCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel-all", abstract: "Cancel a user's orders, in one market or all, on one side or both.",
        discussion: """
            Example:
              pgbook cancel-all
              pgbook cancel-all BTC-USD --side buy
            """)

    @Argument(help: "The market; without it, all markets.")
    var market: String?
    @Option(help: "buy or sell only.")
    var side: String?
    @Flag(help: "The orders of all users; takes the node's role.")
    var everybody = false
    @OptionGroup var user: UserOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let side = try side.map { word throws(Failure) in try pgbook.side(word) }
        let desk = try wait.desk(connection.connect(for: .entering), asJSON: output.json)
        let commands = try desk.connection.cancelAllOrders(
            market: market, side: side, user: user.id, everybody: everybody
        ).get()
        try desk.finish(commands.map(\.id))
    }
}
