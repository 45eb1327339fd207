import ArgumentParser
import OrderBook
import Store

struct BustCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bust", abstract: "Mark a trade as busted: candles and analytics leave it out from now on.",
        discussion: """
            The trade stays, marked, with who did it and why; pgbook.busts lists them. Its candles are computed again in
            the same transaction. No order and no fill changes: that is settled between the parties. It cannot be
            taken back. It takes the node's role.

            Example:
              pgbook bust 1042 --reason "erroneous price, agreed by both sides" --market BTC-USD
            """)

    @Argument(help: "The trade's id in its market; pgbook trades shows it.")
    var trade: Int64
    @Option(help: "The market; may be left out where there is one only.")
    var market: String?
    @Option(help: "Why, for the record.")
    var reason: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let connection = try connection.connect(for: .working)
        let bust = try connection.bust(TradeID(trade), of: try connection.theMarket(market), reason: reason)
        guard !output.json else {
            return print(
                JSON.object([
                    ("security", .string(bust.market)), ("trade_id", .number(bust.trade.rawValue)),
                    ("time", .time(bust.time)), ("busted_at", .time(bust.bustedAt)),
                    ("busted_by", .string(bust.bustedBy)), ("reason", .string(bust.reason)),
                ]))
        }
        print("trade \(bust.trade.rawValue) of \(printable(bust.market)), made \(bust.time.short), is busted")
    }
}
