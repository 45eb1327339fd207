import OrderBook

/// One command of a flow, in ticks and lots.
struct FlowOrder: Sendable {
    /// Which of the flow's markets, from 0.
    var market: Int
    var user: UserID
    var id: OrderID
    var action: Command.Action
}

/// What a contestant says became of a command.
struct FlowResult {
    var outcome: Outcome
    var trades: ArraySlice<Trade>
}

/// Where the commands of a measurement come from: the same at every run.
protocol Flow {
    var marketCount: Int { get }
    /// The next command; nil at the end. It depends on no outcome, so that commands may be sent in batches of any size.
    mutating func next() throws -> FlowOrder?
    /// Told what became of each command, in the order of the commands.
    mutating func executed(_ result: FlowResult)
    /// The SHA-256 of the reports of all commands told of, where a flow has published ones.
    var reportDigest: Digest? { get }
}

extension Flow {
    var marketCount: Int { 1 }
    mutating func executed(_ result: FlowResult) {}
    var reportDigest: Digest? { nil }
}
