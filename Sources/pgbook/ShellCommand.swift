import ArgumentParser
import Glibc
import OrderBook
import Postgres
import Store

struct ShellCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shell", abstract: "A prompt for orders; reads a script from a pipe too.",
        discussion: """
            Example:
              pgbook shell
              echo 'buy 10 @ 101.5' | pgbook shell --market BTC-USD

            A script goes on after a line that failed; then the exit code is not 0 and each fault names its line.
            """)

    @Option(help: "The market to begin with (default: the first).")
    var market: String?
    @OptionGroup var user: UserOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let patience = wait.noWait ? nil : wait.timeout.duration
        let desk = try Desk(connection.connect(for: .entering), asJSON: output.json, patience: patience)
        let market = try market.map { try desk.connection.theMarket($0) } ?? desk.connection.marketRecords().first?.name
        var shell = Shell(desk, market: market, user: user.id)
        let isPerson = isatty(STDIN_FILENO) == 1
        try isPerson ? shell.converse() : shell.runScript()
    }
}

/// What the shell remembers between two lines.
struct Shell {
    private let desk: Desk
    private var market: String?
    private var user: UserID?
    private var lastOrder: OrderID?

    init(_ desk: Desk, market: String?, user: UserID?) {
        self.desk = desk
        self.market = market
        self.user = user
    }

    /// Reads lines from a person, until `quit` or the end of input.
    mutating func converse() throws {
        print("pgbook, database \"\(desk.connection.database)\"; help lists the commands")
        let interruption = Interruption(of: desk.connection.interrupt)
        var listening = desk
        listening.isStopped = { interruption.hasCome }
        var editor = LineEditor()
        // At the prompt Ctrl-C is a key; during a command it is a signal that ends the waiting.
        while let line = editor.read(prompt: "\(market ?? "pgbook")> ", isEnded: { interruption.hasCome }) {
            do {
                guard try perform(line, listening) else { return }
            } catch {
                let failure = Failure(error)
                if let line = failure.line { complain(line) }
                if desk.connection.isLost { throw Failure(.unavailable) }
            }
            flushOutput()
            interruption.heed()
        }
        print("")
        if interruption.hasCome { throw Failure(.interrupted) }
    }

    /// Reads lines from a pipe or file.
    mutating func runScript() throws {
        var (number, failed) = (0, Failure(.ok))
        while let line = readLine() {
            number += 1
            do {
                guard try perform(line, desk) else { break }
            } catch {
                flushOutput()
                let failure = Failure(error)
                if let line = failure.line { complain("line \(number): \(line)") }
                if failed.status == .ok { failed = Failure(failure.status) }
                if desk.connection.isLost { throw Failure(.unavailable) }
            }
        }
        if failed.status != .ok { throw failed }
    }

    /// - Returns: false where the line asked for the end.
    private mutating func perform(_ text: String, _ desk: Desk) throws -> Bool {
        let line = try ShellLine(text)
        switch line {
        case .nothing: break
        case .help: print(ShellLine.manual)
        case .quit: return false
        case .market(let name): market = try desk.connection.theMarket(name)
        case .user(let name): user = name.map { UserID($0) }
        case .place(let order, let market, let clientOrderID):
            try place(order, market: market ?? theMarket(), clientOrderID: clientOrderID, desk)
        case .amend, .reduce, .cancel, .cancelAll: try change(line, desk)
        case .order, .orders, .book, .trades, .markets: try show(line, desk.connection)
        }
        return true
    }

    private mutating func place(_ order: PlaceEntry, market: String, clientOrderID: String?, _ desk: Desk) throws {
        let entered = try desk.connection.placeOrder(order, market: market, user: user, clientOrderID: clientOrderID)
        if case .success(let id) = entered { lastOrder = id }
        try desk.finish(entered)
    }

    private func change(_ line: ShellLine, _ desk: Desk) throws {
        let connection = desk.connection
        switch line {
        case .amend(let order, let amount, let price):
            try desk.finish(connection.amendOrder(resolve(order), amount: amount, price: price, user: user))
        case .reduce(let order, let amount):
            try desk.finish(connection.reduceOrder(resolve(order), by: amount, user: user))
        case .cancel(let order):
            try desk.finish(connection.cancelOrder(resolve(order), user: user))
        case .cancelAll(let side):
            let commands = try connection.cancelAllOrders(market: theMarket(), side: side, user: user).get()
            try desk.finish(commands.map(\.id))
        default: break
        }
    }

    private func show(_ line: ShellLine, _ connection: Connection) throws {
        switch line {
        case .order(let reference):
            let id = try resolve(reference)
            guard let order = try connection.order(id) else {
                throw Failure(.refused, "there is no order \(id)", code: OutcomeCode.unknownOrder.name)
            }
            if desk.asJSON { print(order.json) } else { showOrder(order) }
        case .orders(let all):
            let mine = user ?? UserID(connection.user)
            let orders = try connection.orders(market: market, user: mine, openOnly: !all, limit: 50)
            if desk.asJSON { print(JSON.array(orders.map(\.json))) } else { showOrders(orders, openOnly: !all) }
        case .book(let depth):
            let market = try theMarket()
            let levels = try connection.bookLevels(market, depth: Int32(depth))
            if desk.asJSON { return print(bookJSON(market, levels)) }
            printLines(Ladder(market: market, levels: levels).lines(on: .standard, width: Screen.size.columns))
        case .trades(let limit):
            let trades = try connection.latestTrades(theMarket(), limit: Int32(limit))
            if desk.asJSON { print(JSON.array(trades.map(\.json))) } else { showTrades(trades) }
        case .markets:
            let markets = try connection.marketRecords()
            if desk.asJSON { print(JSON.array(markets.map(\.json))) } else { showMarkets(markets) }
        default: break
        }
    }

    private func theMarket() throws -> String {
        if let market { return market }
        return try desk.connection.theMarket(nil)
    }

    private func resolve(_ order: ShellLine.OrderReference) throws(Failure) -> OrderID {
        switch order {
        case .id(let id): return id
        case .last:
            guard let lastOrder else { throw Failure(.usage, "no order was placed here yet, so there is no last one") }
            return lastOrder
        }
    }
}
