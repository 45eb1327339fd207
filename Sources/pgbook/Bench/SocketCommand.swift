import ArgumentParser
import NIOCore
import NIOPosix
import OrderBook
import Wire

struct BenchSocketCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "socket", abstract: "Load a running server over WebSocket.",
        discussion: """
            An order is done when its order message says what became of it. Clients follow no market.

            closed loop: each client sends the next order when fewer than --outstanding of its own are unanswered.
            open loop (--rate): orders are sent on schedule, whatever the answers do, and latency counts from the
            schedule, so that a server that stalls cannot hide it.
            --one: one client, one order at a time, resting and crossing in turn.

            Example:
              pgbook bench socket --market BTC-USD --clients 8 --outstanding 64 --orders 100000
              pgbook bench socket --market BTC-USD --rate 5000 --duration 20s --json
            """)

    @Option(help: "Where the server listens.")
    var host = "127.0.0.1"
    @Option(help: "Its port.")
    var port = 8080
    @Option(help: "The market; 1000016 ticks must be within its limits.")
    var market: String
    @Option(help: "The market's tick size.")
    var tick = "0.01"
    @Option(help: "The market's lot size.")
    var lot = "0.001"
    @Option(help: "What the orders begin with; the same number gives the same orders.")
    var seed: UInt64 = 1
    @Option(help: "Connections, 1 to 1024.")
    var clients = 8
    @Option(help: "Closed loop: orders of one client that are unanswered, 1 to 1024.")
    var outstanding = 64
    @Option(help: "Closed loop: orders of all clients together.")
    var orders = 100_000
    @Option(help: "Open loop: orders per second of all clients together.")
    var rate: Int?
    @Option(help: "How long orders are sent (open loop: 20s; closed loop: until --orders are sent).")
    var duration: TimeSpan?
    @Flag(help: "One client, one order at a time.")
    var one = false
    @Option(help: "Orders at the beginning that are not measured.")
    var warmup = 0
    @Option(help: "Give up when nothing was answered for so long.")
    var timeout = TimeSpan(.seconds(30))
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard 1...65_535 ~= port else { throw ValidationError("--port \(port) is not within 1 to 65535") }
        try duration?.require("--duration", .milliseconds(1) ... .seconds(86_400))
        try timeout.require("--timeout", .milliseconds(1) ... .seconds(86_400))
        guard 1...1024 ~= clients else { throw ValidationError("--clients \(clients) is not within 1 to 1024") }
        guard 1...1024 ~= outstanding else {
            throw ValidationError("--outstanding \(outstanding) is not within 1 to 1024")
        }
        if let rate {
            guard 1...1_000_000 ~= rate else { throw ValidationError("--rate \(rate) is not within 1 to 1000000") }
            guard !one else { throw ValidationError("--one and --rate exclude each other") }
        }
        guard 1...100_000_000 ~= ordersToSend else {
            throw ValidationError("\(ordersToSend) orders are not within 1 to 100000000; change --orders or --duration")
        }
        guard 0..<ordersToSend ~= warmup else {
            throw ValidationError("--warmup \(warmup) is not within 0 to \(ordersToSend - 1)")
        }
        _ = try units()
    }

    private var ordersToSend: Int {
        guard let rate else { return orders }
        return Int(Int64(rate) * (duration ?? TimeSpan(.seconds(20))).microseconds / 1_000_000)
    }

    private func units() throws -> MarketUnits {
        guard let tick = try? ExactDecimal(parsing: tick), let lot = try? ExactDecimal(parsing: lot),
            let units = MarketUnits(tick: tick, lot: lot)
        else { throw ValidationError("--tick \(tick) and --lot \(lot) must be decimals above zero, such as 0.01") }
        return units
    }

    func run() async throws {
        let pace: SocketLoad.Pace =
            if let rate { .scheduled(perSecond: rate) } else { .answered(outstanding: one ? 1 : outstanding) }
        let plan = SocketLoad.Plan(
            pace: pace, clients: one ? 1 : clients, orders: ordersToSend,
            duration: rate == nil ? duration?.duration : nil,
            warmup: warmup, timeout: timeout.duration)
        let flow = SocketFlow(market: market, units: try units(), seed: seed, inTurn: one)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let tally: SocketTally
        do {
            tally = try await SocketLoad.run(plan, flow, host: host, port: port, market: market, on: group.next())
        } catch {
            throw Failure(
                .unavailable, "the load on \(host) port \(port) failed: \(error); is pgbook serve running there?")
        }
        try await group.shutdownGracefully()
        let report = SocketReport(tally, plan)
        print(output.json ? report.json.description : report.text)
        if let complaint = report.complaint { throw Failure(.refused, complaint) }
    }
}
