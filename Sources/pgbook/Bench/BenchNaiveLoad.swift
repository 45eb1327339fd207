import ArgumentParser
import OrderBook
import Replay
import Store

struct BenchNaiveLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "naive-load", abstract: "Put a flow into the naive matcher's table of commands.",
        discussion: """
            The tables are those of sql/bench/naive.sql, which must have been run on the database; pgbench with
            sql/bench/naive.pgbench.sql then executes one command per transaction.

            Example:
              pgbook bench naive-load --flow crossing --orders 30000
            """)

    @OptionGroup var flow: FlowOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let connection = try connection.connect(for: .working)
        var source = try flow.makeFlow(run: 0)
        let count = try connection.copyNaiveFlow { try source.next().map(naive) }
        if output.json { print(JSON.object([("orders", .number(count))])) } else { print("loaded  \(count)") }
    }

    private func naive(_ order: FlowOrder) throws -> NaiveCommand {
        let market = Int16(order.market + 1)
        switch order.action {
        case .place(let place):
            return NaiveCommand(
                kind: 1, order: number(order.id), market: market, user: order.user, side: place.side,
                price: place.price,
                amount: place.amount, isImmediate: place.timeInForce == .ioc)
        case .cancel(let target):
            return NaiveCommand(kind: 3, order: number(target), market: market, user: order.user)
        case .amend(let amend):
            let (target, user) = (number(amend.target), order.user)
            switch amend.change {
            case .replace(let open, let price):
                return NaiveCommand(kind: 2, order: target, market: market, user: user, price: price, amount: open)
            case .reduce(let by):
                return NaiveCommand(kind: 4, order: target, market: market, user: user, amount: by)
            case .to: throw unknown(order)
            }
        case .cancelAll, .halt, .resume, .expire: throw unknown(order)
        }
    }

    private func number(_ id: OrderID) -> Int64 { Int64(RunIdentifiers(run: 0).number(of: id) ?? 0) }

    private func unknown(_ order: FlowOrder) -> Failure {
        Failure(.usage, "the naive matcher has no \(order.action); give it another flow")
    }
}
