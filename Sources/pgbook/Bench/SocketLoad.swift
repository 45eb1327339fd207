import NIOCore
import NIOPosix

/// Sends a flow of orders over many sockets, and counts what comes back. Everything of it lives on one event loop.
final class SocketLoad {
    enum Pace: Sendable {
        /// The next order of a client goes out when so many of its own are unanswered no more.
        case answered(outstanding: Int)
        /// Orders go out on schedule.
        case scheduled(perSecond: Int)
    }

    struct Plan: Sendable {
        var pace: Pace
        var clients: Int
        var orders: Int
        /// Nothing is sent after it, though orders are left.
        var duration: Duration?
        /// Orders at the beginning that are not measured.
        var warmup: Int
        /// Without an answer for so long the rest is given up.
        var timeout: Duration
    }

    /// Between two looks at the schedule, so that a high rate does not cost a wake-up per order.
    private static let tickNanosecondsMin: Int64 = 250_000
    /// Sent later than this after its time an order counts as late.
    private static let lateNanoseconds: UInt64 = 1_000_000

    var tally = SocketTally()
    private let plan: Plan
    private var flow: SocketFlow
    private let eventLoop: any EventLoop
    private let done: EventLoopPromise<SocketTally>
    private var clients: [SocketClient] = []
    private var joinedCount = 0
    private var isRunning = false
    /// How many orders are sent in all, as far as is known.
    private var orders: Int
    private var sentCount = 0
    private var endedCount = 0
    /// Nanoseconds of uptime.
    private var startedAt: UInt64 = 0
    private var measuredFrom: UInt64 = 0
    private var answeredAt: UInt64 = 0
    private var isDone = false

    private init(_ plan: Plan, _ flow: SocketFlow, on eventLoop: any EventLoop) {
        self.plan = plan
        orders = plan.orders
        self.flow = flow
        self.eventLoop = eventLoop
        done = eventLoop.makePromise()
    }

    /// Connects, waits until everybody is ready, sends all, and waits for the last answer.
    static func run(
        _ plan: Plan, _ flow: SocketFlow, host: String, port: Int, market: String, on eventLoop: any EventLoop
    ) async throws -> SocketTally {
        let load = try await eventLoop.submit {
            NIOLoopBound(SocketLoad(plan, flow, on: eventLoop), eventLoop: eventLoop)
        }.get()
        let bootstrap = ClientBootstrap(group: eventLoop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let client = SocketClient(load.value, market: market)
                    load.value.clients.append(client)
                    try channel.pipeline.syncOperations.addHandler(client)
                }
            }
        for _ in 0..<plan.clients { _ = try await bootstrap.connect(host: host, port: port).get() }
        return try await eventLoop.flatSubmit { load.value.watch() }.get()
    }

    /// Looks once a second whether anything is still answered.
    private func watch() -> EventLoopFuture<SocketTally> {
        answeredAt = now
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let watching = eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            bound.value.giveUpWhenSilent()
        }
        return done.futureResult.always { _ in watching.cancel() }
    }

    private var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

    // MARK: What clients report

    func joined() {
        joinedCount += 1
        guard joinedCount == plan.clients, !isRunning else { return }
        isRunning = true
        (startedAt, answeredAt) = (now, now)
        measuredFrom = startedAt
        if let duration = plan.duration {
            let bound = NIOLoopBound(self, eventLoop: eventLoop)
            eventLoop.scheduleTask(in: .init(duration)) { bound.value.sendNoMore() }
        }
        switch plan.pace {
        case .answered:
            for client in clients {
                refill(client)
                client.flush()
            }
        case .scheduled: tick()
        }
    }

    func readEnded(_ client: SocketClient) {
        if isRunning { refill(client) }
    }

    func answered(_ sent: SocketClient.Sent, _ status: SocketTally.Status, reason: String?) {
        answeredAt = now
        tally.count(status, reason: reason)
        if sent.isMeasured { tally.record(nanoseconds: answeredAt &- sent.at) }
        ended()
    }

    func failed(_ sent: SocketClient.Sent, code: String) {
        answeredAt = now
        tally.count(error: code)
        ended()
    }

    func lost(_ client: SocketClient, unanswered: Int) {
        guard !isDone else { return }
        guard isRunning else { return finish(SocketLoadFault("a connection was closed before it was ready")) }
        tally.count(error: "connection_lost", max(1, unanswered))
        clients.removeAll { $0 === client }
        endedCount += unanswered
        if clients.isEmpty || endedCount == orders { finish(nil) }
    }

    private func ended() {
        endedCount += 1
        if endedCount == plan.warmup { measuredFrom = answeredAt }
        if endedCount == orders { finish(nil) }
    }

    private func sendNoMore() {
        guard isRunning else { return }
        orders = sentCount
        if endedCount == orders { finish(nil) }
    }

    private func giveUpWhenSilent() {
        let (seconds, attoseconds) = plan.timeout.components
        let limit = UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
        guard now - answeredAt > limit else { return }
        guard isRunning else {
            return finish(SocketLoadFault("only \(joinedCount) of \(plan.clients) connections were ready in time"))
        }
        tally.timeouts = clients.reduce(0) { $0 + $1.unanswered }
        finish(nil)
    }

    private func finish(_ fault: SocketLoadFault?) {
        guard !isDone else { return }
        (isDone, isRunning) = (true, false)
        tally.sent = sentCount
        tally.nanoseconds = answeredAt - measuredFrom
        if let fault { done.fail(fault) } else { done.succeed(tally) }
        for client in clients { client.close() }
    }

    // MARK: Sending

    private func refill(_ client: SocketClient) {
        guard case .answered(let outstanding) = plan.pace, sentCount < orders else { return }
        let now = now
        while client.unanswered < outstanding, sentCount < orders { send(client, at: now) }
    }

    private func send(_ client: SocketClient, at time: UInt64) {
        client.send(flow.next(), .init(at: time, isMeasured: sentCount >= plan.warmup))
        sentCount += 1
    }

    /// Sends what is due.
    private func tick() {
        guard isRunning, case .scheduled(let perSecond) = plan.pace else { return }
        let time = { (index: Int) in
            // In whole seconds and the rest, so that nothing drifts.
            let (seconds, rest) = index.quotientAndRemainder(dividingBy: perSecond)
            return self.startedAt + UInt64(seconds) * 1_000_000_000 + UInt64(rest) * 1_000_000_000 / UInt64(perSecond)
        }
        let now = now
        while sentCount < orders, time(sentCount) <= now, !clients.isEmpty {
            let due = time(sentCount)
            if now - due > Self.lateNanoseconds { tally.sentLate += 1 }
            send(clients[sentCount % clients.count], at: due)
        }
        for client in clients { client.flush() }
        guard sentCount < orders else { return }
        let wait = max(Self.tickNanosecondsMin, Int64(time(sentCount)) - Int64(self.now))
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: .nanoseconds(wait)) { bound.value.tick() }
    }
}

struct SocketLoadFault: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
