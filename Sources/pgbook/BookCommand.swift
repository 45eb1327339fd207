import ArgumentParser
import OrderBook
import Postgres
import Store

struct BookCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "book", abstract: "Show a market's aggregated book.",
        discussion: """
            Example:
              pgbook book BTC-USD --depth 5
            """)

    @Argument(help: "The market; may be left out where there is one only.")
    var market: String?
    @Option(help: "Levels per side.")
    var depth = 10
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard (1...limitMax).contains(depth) else {
            throw ValidationError("--depth \(depth) is outside 1 to \(limitMax)")
        }
    }

    func run() throws {
        let connection = try connection.connect(for: .reading)
        let market = try connection.theMarket(market)
        let levels = try connection.bookLevels(market, depth: Int32(depth))
        if output.json { return print(bookJSON(market, levels)) }
        printLines(Ladder(market: market, levels: levels).lines(on: .standard, width: Screen.size.columns))
    }
}

/// As the WebSocket's aggOrderBook shows it: levels best first.
func bookJSON(_ market: String, _ levels: [LevelRecord]) -> JSON {
    func side(_ side: Side) -> JSON { .array(levels.filter { $0.side == side }.map(\.json)) }
    return .object([("security", .string(market)), ("ask", side(.ask)), ("bid", side(.bid))])
}

extension Connection {
    /// The named market, or the only one there is.
    func theMarket(_ name: String?) throws -> String {
        let markets = try marketRecords(named: name)
        if markets.count == 1 { return markets[0].name }
        if let name {
            throw Failure(
                .refused, "there is no market '\(name)'; pgbook market list shows them",
                code: OutcomeCode.unknownMarket.name,
                field: "security")
        }
        throw Failure(
            .usage,
            markets.isEmpty
                ? "there are no markets yet; add one: pgbook market add BTC-USD --tick 0.5 --lot 0.001"
                : "which market? name one of: \(markets.map(\.name).joined(separator: ", "))")
    }
}
