import ArgumentParser
import OrderBook
import Postgres
import Store

struct MarketCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "market", abstract: "Add, list, halt and resume markets.",
        subcommands: [MarketAdd.self, MarketList.self, MarketHalt.self, MarketResume.self])
}

struct MarketAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a market.",
        discussion: """
            Example:
              pgbook market add BTC-USD --tick 0.5 --lot 0.001 --max-amount 1000 --max-price 1000000
            """)

    @Argument(help: "Its name: 1 to 32 of A-Z a-z 0-9 . _ / : -")
    var name: String
    @Option(parsing: .unconditional, help: "The tick size: prices are multiples of it, in quote units.")
    var tick: String
    @Option(parsing: .unconditional, help: "The lot size: amounts are multiples of it, in base units.")
    var lot: String
    @Option(help: "The largest amount of one order.")
    var maxAmount: String?
    @Option(help: "The largest price × amount of one order.")
    var maxNotional: String?
    @Option(help: "The lowest price.")
    var minPrice: String?
    @Option(help: "The highest price.")
    var maxPrice: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let market = NewMarket(
            name: name, tickSize: try decimal(tick, "tick_size"), lotSize: try decimal(lot, "lot_size"),
            amountMax: try maxAmount.map { text throws(Failure) in try decimal(text, "max_amount") },
            notionalMax: try maxNotional.map { text throws(Failure) in try decimal(text, "max_notional") },
            priceMin: try minPrice.map { text throws(Failure) in try decimal(text, "min_price") },
            priceMax: try maxPrice.map { text throws(Failure) in try decimal(text, "max_price") })
        let connection = try connection.connect(for: .entering)
        try connection.addMarket(market).get()
        if output.json {
            print(try connection.marketRecords(named: name).first?.json ?? .null)
        } else {
            print("added  \(name)")
        }
    }
}

struct MarketList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the markets.",
        discussion: """
            Example:
              pgbook market list --json
            """)

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let markets = try connection.connect(for: .reading).marketRecords()
        if output.json { return print(JSON.array(markets.map(\.json))) }
        showMarkets(markets)
    }
}

func showMarkets(_ markets: [MarketRecord]) {
    guard !markets.isEmpty else {
        return print("no markets yet; add one: pgbook market add BTC-USD --tick 0.5 --lot 0.001")
    }
    var table = Table(
        ("market", .left), ("state", .left), ("tick", .point), ("lot", .point), ("last price", .point),
        ("trades", .right),
        ("commands", .right))
    for market in markets {
        table.add(
            market.name, market.state, "\(market.tickSize)", "\(market.lotSize)", market.lastPrice.map { "\($0)" },
            "\(market.trades)", "\(market.seq.rawValue)", style: market.state == "halted" ? .warning : nil)
    }
    printLines(table.lines(on: .standard))
}

struct MarketHalt: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "halt", abstract: "Stop a market: orders are refused, cancels go on.",
        discussion: """
            Example:
              pgbook market halt BTC-USD
            """)

    @Argument(help: "The market.")
    var name: String
    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let desk = try wait.desk(connection.connect(for: .entering), asJSON: output.json)
        try desk.finish(desk.connection.haltMarket(name))
    }
}

struct MarketResume: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let a halted market go on.",
        discussion: """
            Example:
              pgbook market resume BTC-USD
            """)

    @Argument(help: "The market.")
    var name: String
    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let desk = try wait.desk(connection.connect(for: .entering), asJSON: output.json)
        try desk.finish(desk.connection.resumeMarket(name))
    }
}
