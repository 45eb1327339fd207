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
    let market: Market
    private let direct: DirectExchange?
    private let stored: StoredMarket
    private let user: UserID
    private let limits: ExchangeLimits
    private var lastSeq: Seq
    private var lastTrade = (time: Timestamp(Int64.min), id: TradeID(0))

    init(
        _ connection: StoreConnection, market: Market, user: UserID, commandsPerBatchMax: Int, entrance: ReplayEntrance
    )
        throws
    {
        self.connection = connection
        self.market = market
        self.user = user
        stored = StoredMarket(connection, market: market)
        var limits = ExchangeLimits()
        limits.commandsPerBatchMax = commandsPerBatchMax
        self.limits = limits
        lastSeq = try stored.state().seq
        try connection.prepareForMatching()
        direct = entrance == .direct ? try DirectExchange(connection, limits: limits) : nil
    }

    /// Runs the commands to their end and gives their results in order.
    mutating func run(_ commands: [(id: OrderID, action: Command.Action)]) throws -> [Result] {
        let entries = commands.map { entry($0.id, $0.action) }
        let admissions: [Admission]
        if let direct {
            admissions = try enterDirectly(entries, direct)
        } else {
            admissions = try connection.enter(entries)
            try matchInbox()
        }
        let admittedCount = admissions.count { if case .admitted = $0 { true } else { false } }
        let outcomes = try stored.outcomes(after: lastSeq, max: admittedCount)
        lastSeq.rawValue += Int64(outcomes.count)
        let trades = try readTrades()
        return try results(commands, admissions, outcomes, trades)
    }

    func matchInbox() throws {
        let transaction = MatchingTransaction(connection, market: market)
        while try MatchingBatch(transaction, due: .everything, limits: limits).run(waits: true) != nil {}
    }

    private mutating func readTrades() throws -> [Trade] {
        var trades: [Trade] = []
        while true {
            let page = try stored.trades(
                in: lastTrade.time..<Timestamp(Int64.max), after: lastTrade, max: 10_000)
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
        Entry(id: id, user: user, market: market.symbol, action: market.entryAction(action))
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
