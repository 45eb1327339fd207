import Exchange
import OrderBook
import Store

/// Sends commands through the database in batches: entered, matched in transactions, and their outcomes and trades read
/// back from the tables.
struct ReplayEngine {
    /// A command and what the tables say became of it.
    struct Result {
        var outcome: Outcome
        var trades: ArraySlice<Trade>
    }

    private let connection: StoreConnection
    private let market: Market
    private let stored: StoredMarket
    private let user: UserID
    private let limits: ExchangeLimits
    private var lastSeq: Seq
    private var lastTrade = (time: Timestamp(Int64.min), id: TradeID(0))

    init(_ connection: StoreConnection, market: Market, user: UserID, commandsPerBatchMax: Int) throws {
        self.connection = connection
        self.market = market
        self.user = user
        stored = StoredMarket(connection, market: market)
        var limits = ExchangeLimits()
        limits.commandsPerBatchMax = commandsPerBatchMax
        self.limits = limits
        lastSeq = try stored.state().seq
        try connection.prepareForMatching()
    }

    /// Runs the commands to their end and gives their results in order.
    mutating func run(_ commands: [(id: OrderID, action: Command.Action)]) throws -> [Result] {
        let admissions = try connection.enter(commands.map { entry($0.id, $0.action) })
        let admittedCount = admissions.count { if case .admitted = $0 { true } else { false } }
        let transaction = MatchingTransaction(connection, market: market)
        while try MatchingBatch(transaction, due: .everything, limits: limits).run(waits: true) != nil {}
        let outcomes = try stored.outcomes(after: lastSeq, max: admittedCount)
        lastSeq.rawValue += Int64(outcomes.count)
        let trades = try readTrades()
        return try results(commands, admissions, outcomes, trades)
    }

    private mutating func readTrades() throws -> [Trade] {
        var trades: [Trade] = []
        while true {
            let page = try stored.trades(after: lastTrade, max: 10_000)
            guard let last = page.last else { return trades }
            lastTrade = (last.time, last.id)
            trades += page
            if page.count < 10_000 { return trades }
        }
    }

    private func results(
        _ commands: [(id: OrderID, action: Command.Action)], _ admissions: [Admission],
        _ outcomes: [(id: OrderID, outcome: Outcome)], _ trades: [Trade]
    ) throws -> [Result] {
        var next = 0
        var firstTrade = 0
        return try zip(commands, admissions).map { command, admission in
            switch admission {
            case .refused(let rejection):
                return Result(outcome: Outcome(code: rejection.code), trades: [])
            case .admitted:
                guard next < outcomes.count, outcomes[next].id == command.id else {
                    throw ReplayFault.disturbed(market.symbol)
                }
                let outcome = outcomes[next].outcome
                next += 1
                var open = outcome.filled
                let start = firstTrade
                while open > .zero, firstTrade < trades.count {
                    open -= trades[firstTrade].amount
                    firstTrade += 1
                }
                guard open == .zero else { throw ReplayFault.disturbed(market.symbol) }
                return Result(outcome: outcome, trades: trades[start..<firstTrade])
            }
        }
    }

    private func entry(_ id: OrderID, _ action: Command.Action) -> Entry {
        Entry(id: id, user: user, market: market.symbol, action: decimals(action))
    }

    private func decimals(_ action: Command.Action) -> Entry.Action {
        switch action {
        case .place(let place):
            return .place(
                PlaceEntry(
                    side: place.side, amount: market.decimal(place.amount), price: place.price.map(market.decimal),
                    timeInForce: place.timeInForce, postOnly: place.postOnly,
                    selfTradePrevention: place.selfTradePrevention))
        case .amend(let amend):
            switch amend.change {
            case .to(let amount, let price):
                return .amend(
                    target: amend.target, amount: amount.map(market.decimal), price: price.map(market.decimal))
            case .reduce(let by):
                return .reduce(target: amend.target, by: market.decimal(by))
            case .replace(let open, let price):
                return .replace(target: amend.target, open: market.decimal(open), price: market.decimal(price))
            }
        case .cancel(let target): return .cancel(target: target)
        case .cancelAll(let scope): return .cancelAll(scope)
        case .halt: return .halt
        case .resume: return .resume
        case .expire: return .expire
        }
    }
}

/// Why a replay cannot go on.
enum ReplayFault: Error, CustomStringConvertible {
    case disturbed(String)
    case notEmpty(String, seq: Int64)

    var description: String {
        switch self {
        case .disturbed(let market):
            "market \(market) got other commands during the replay; replay into a market of its own"
        case .notEmpty(let market, let seq):
            "market \(market) has \(seq) commands already; replay into a new market"
        }
    }
}
