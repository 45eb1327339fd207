import Logging
import NIOCore
import OrderBook
import Store
import Synchronization
import Wire

/// Tells each socket what becomes of its own orders: looks up in the tables what may have changed, whenever a market
/// moved, with one query for all sockets.
final class OrderTracker: Sendable {
    private enum News: Sendable {
        case entered(OwnOrders.Entered)
        case answered(SocketID)
        case socketClosed(SocketID, cancelsOrders: Bool, commandsUnanswered: Int)
        case moved(makers: [OrderID])
    }

    private struct Inbox {
        var news: [News] = []
        var openOrders: [SocketID: Int] = [:]
    }

    private let reader: MarketDataReader
    private let directory: MarketDirectory
    private let hub: Hub
    private let desk: CommandDesk
    private let limits: GatewayLimits
    private let metrics: GatewayMetrics
    private let logger: Logger
    private let inbox = Mutex(Inbox())
    private let wakes: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation

    init(
        reader: MarketDataReader, directory: MarketDirectory, hub: Hub, desk: CommandDesk, limits: GatewayLimits,
        metrics: GatewayMetrics, logger: Logger
    ) {
        self.reader = reader
        self.directory = directory
        self.hub = hub
        self.desk = desk
        self.limits = limits
        self.metrics = metrics
        self.logger = logger
        (wakes, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: News, from any thread

    /// Whether the socket may have one more open order.
    func hasRoom(_ socket: SocketID) -> Bool {
        inbox.withLock { $0.openOrders[socket, default: 0] < limits.ordersPerSocketMax }
    }

    func entered(_ entered: OwnOrders.Entered) { post(.entered(entered)) }

    /// A command of the socket was answered, whatever the answer.
    func answered(_ socket: SocketID) { post(.answered(socket)) }

    func socketClosed(_ socket: SocketID, cancelsOrders: Bool, commandsUnanswered: Int) {
        post(.socketClosed(socket, cancelsOrders: cancelsOrders, commandsUnanswered: commandsUnanswered))
    }

    /// Some market moved, and these orders were traded with.
    func marketsMoved(makers: [OrderID]) { post(.moved(makers: makers)) }

    private func post(_ news: News) {
        inbox.withLock { $0.news.append(news) }
        waker.yield()
    }

    /// Handles what has been posted and returns.
    func close() { waker.finish() }

    // MARK: Looking

    func run() async {
        var state = TrackerState(orders: OwnOrders(lookupMax: limits.ordersPerQueryMax))
        for await _ in wakes {
            let began = ContinuousClock.now
            take(&state)
            do {
                try await look(&state)
            } catch is CancellationError {
                break
            } catch {
                logger.warning("order events wait: the database cannot be read", metadata: ["error": "\(error)"])
                waker.yield()
            }
            if state.orders.owesSweep { waker.yield() }
            // What comes meanwhile is answered together; and at most a third of the time goes into looking.
            let pause = max(.milliseconds(limits.orderEventIntervalMilliseconds), (ContinuousClock.now - began) * 2)
            try? await Task.sleep(for: pause)
        }
        take(&state)
    }

    private struct TrackerState {
        var orders: OwnOrders
        /// Sockets that closed while commands of theirs were under way, and how many.
        var closing: [SocketID: (cancelsOrders: Bool, unanswered: Int)] = [:]
        var sweptAt = ContinuousClock.now
    }

    private func take(_ state: inout TrackerState) {
        let news = inbox.withLock { inbox in
            defer { inbox.news.removeAll(keepingCapacity: true) }
            return inbox.news
        }
        for item in news {
            switch item {
            case .entered(let entered): take(entered, &state)
            case .answered(let socket): answered(socket, &state)
            case .socketClosed(let socket, let cancelsOrders, let unanswered):
                let open = state.orders.socketClosed(socket)
                noteCount(of: socket, 0)
                if cancelsOrders { cancel(open) }
                if unanswered > 0 { state.closing[socket] = (cancelsOrders, unanswered) }
            case .moved(let makers): state.orders.marketsMoved(makers: makers)
            }
        }
    }

    private func take(_ entered: OwnOrders.Entered, _ state: inout TrackerState) {
        if let closing = state.closing[entered.socket] {
            if closing.cancelsOrders, case .add = entered.request { cancel([(id: entered.id, user: entered.user)]) }
            return
        }
        state.orders.entered(entered)
        noteCount(of: entered.socket, state.orders.orderCount(of: entered.socket))
    }

    private func answered(_ socket: SocketID, _ state: inout TrackerState) {
        guard let closing = state.closing[socket] else { return }
        state.closing[socket] = closing.unanswered > 1 ? (closing.cancelsOrders, closing.unanswered - 1) : nil
    }

    private func noteCount(of socket: SocketID, _ count: Int) {
        inbox.withLock { $0.openOrders[socket] = count > 0 ? count : nil }
    }

    /// Nobody is left to hear the answers.
    private func cancel(_ orders: [(id: OrderID, user: UserID)]) {
        for order in orders {
            desk.submit(Entry(id: IDMaker.orderID(), user: order.user, .delete(order.id))) { _ in }
        }
    }

    private func look(_ state: inout TrackerState) async throws {
        repeat {
            try await lookUp(state.orders.nextLookup(), &state)
        } while state.orders.hasTouched
        let now = ContinuousClock.now
        guard state.orders.owesSweep, state.sweptAt + .milliseconds(limits.sweepIntervalMilliseconds) <= now else {
            return
        }
        state.sweptAt = now
        try await lookUp(state.orders.nextSweep(), &state)
    }

    private func lookUp(_ ids: [OrderID], _ state: inout TrackerState) async throws {
        guard !ids.isEmpty else { return }
        // A market that the feed has not met yet has no units: its orders wait.
        let states = try await reader.commandStates(ids).filter { directory[$0.market] != nil }
        let events = state.orders.found(states, askedFor: ids)
        metrics.sentOrderEvents(events.count)
        for socket in Set(events.map(\.socket)) { noteCount(of: socket, state.orders.orderCount(of: socket)) }
        hub.send(events.compactMap { event in frame(for: event).map { (socket: event.socket, frame: $0) } })
    }

    private func frame(for event: OwnOrders.Event) -> ByteBuffer? {
        switch event {
        case .order(_, let state, let clientOrderID):
            return directory[state.market].map {
                FrameBytes.text(OrderMessage(state, in: $0, clientOrderID: clientOrderID))
            }
        case .refused(_, let state, let target):
            return FrameBytes.text(ErrorMessage(WireError(refusedWhenExecuted: state.code), id: target))
        case .cancelledAll(_, let state):
            return directory[state.market].map {
                FrameBytes.text(CancelledAllMessage(id: state.id, security: $0.market.symbol))
            }
        }
    }
}

extension OrderMessage {
    init(_ state: CommandState, in entry: MarketDirectory.Entry, clientOrderID: String?) {
        self.init(
            id: state.id, security: entry.market.symbol, status: state.status,
            filled: entry.units.decimal(state.filled),
            remaining: entry.units.decimal(state.remaining), reason: state.reason, clientOrderID: clientOrderID)
    }
}

extension WireError {
    /// An amend or cancel that was in the log and was refused when its turn came.
    init(refusedWhenExecuted code: OutcomeCode) {
        let message =
            switch code {
            case .alreadyClosed: "the order is closed already"
            case .unknownOrder: "there is no such order"
            case .notYours: "the order belongs to another user"
            case .halted: "the market is halted"
            case .wouldCross: "the order is post-only and would trade at the new price"
            case .expired: "the order has expired"
            case .late: "the command came later than the market's window allows"
            default: "refused: \(code.name)"
            }
        self.init(ErrorCode(code), message, field: "id")
    }
}
