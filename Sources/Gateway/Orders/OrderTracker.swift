import Logging
import MarketData
import NIOCore
import OrderBook
import Store
import Synchronization
import Wire

/// Tells each socket what becomes of its own orders: at once where that is known when they were entered; else it looks up
/// in the tables what may have changed, whenever a market moved, with one query for all sockets.
final class OrderTracker: Sendable {
    private struct State {
        var orders: OwnOrders
        /// What the markets did that nobody has told of yet.
        var movements = Movements()
        /// Sockets that closed while commands of theirs were under way, and how many.
        var closing: [SocketID: (cancelsOrders: Bool, unanswered: Int)] = [:]
    }

    private let reader: MarketDataReader
    private let directory: MarketDirectory
    private let hub: Hub
    private let limits: GatewayLimits
    private let metrics: GatewayMetrics
    private let logger: Logger
    private let state: Mutex<State>
    /// Apart from the state, for the event loops to ask without waiting.
    private let openOrders = Mutex<[SocketID: Int]>([:])
    private let wakes: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation

    init(
        reader: MarketDataReader, directory: MarketDirectory, hub: Hub, limits: GatewayLimits, metrics: GatewayMetrics,
        logger: Logger
    ) {
        self.reader = reader
        self.directory = directory
        self.hub = hub
        self.limits = limits
        self.metrics = metrics
        self.logger = logger
        state = Mutex(State(orders: OwnOrders(lookupMax: limits.ordersPerQueryMax)))
        (wakes, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: What happens, on any thread

    /// Whether sockets hear of their orders by the feed.
    var needsFeed: Bool { state.withLock { !$0.orders.isEmpty && !$0.movements.areTold } }

    /// Whether the socket may have one more open order.
    func hasRoom(_ socket: SocketID) -> Bool {
        openOrders.withLock { $0[socket, default: 0] < limits.ordersPerSocketMax }
    }

    /// Whether the market is known, so that a client can be told in its units.
    func canTell(_ state: CommandState) -> Bool { directory[state.market] != nil }

    /// A command was entered.
    /// - Parameter known: what became of it, where it was executed at once. Its socket is told with the next delivery;
    ///   what it did to other orders follows (`executed`).
    /// - Returns: false for an order whose socket closed meanwhile and wants its orders cancelled.
    func entered(_ entered: OwnOrders.Entered, known: CommandState?) -> Bool {
        let (isWanted, needsLook) = state.withLock { state in
            if let closing = state.closing[entered.socket] { return (!closing.cancelsOrders, false) }
            if let known {
                post(state.orders.entered(entered, state: known), state)
            } else {
                state.orders.entered(entered)
            }
            noteCount(of: entered.socket, state)
            return (true, known == nil)
        }
        if needsLook { waker.yield() }
        if case .add = entered.request { return isWanted }
        return true
    }

    /// Commands were executed by the transaction that logged them, and this is what they did.
    func executed(_ moves: [MarketMove]) {
        let needsLook = state.withLock { state in
            // A market that the feed has not met yet has no units: its orders are looked up when it has.
            for move in moves where directory[move.market] != nil {
                state.movements.told(move)
                let events = state.orders.changed(move.orders)
                post(events, state)
                for socket in Set(events.map(\.socket)) { noteCount(of: socket, state) }
            }
            return state.orders.hasTouched
        }
        if needsLook { waker.yield() }
    }

    /// A command of the socket was answered, whatever the answer.
    func answered(_ socket: SocketID) {
        state.withLock { state in
            guard let closing = state.closing[socket] else { return }
            state.closing[socket] = closing.unanswered > 1 ? (closing.cancelsOrders, closing.unanswered - 1) : nil
        }
    }

    /// - Returns: its open orders, and whose they are.
    func socketClosed(
        _ socket: SocketID, cancelsOrders: Bool, commandsUnanswered: Int
    ) -> [(id: OrderID, user: UserID)] {
        state.withLock { state in
            if commandsUnanswered > 0 { state.closing[socket] = (cancelsOrders, commandsUnanswered) }
            defer { noteCount(of: socket, state) }
            return state.orders.socketClosed(socket)
        }
    }

    /// The feed saw markets move.
    func marketsMoved(_ updates: [MarketUpdate]) {
        let needsLook = state.withLock { state in
            for update in updates { state.movements.seen(update.market.number, at: update.seq, update.trades) }
            return state.movements.isUnsettled || state.orders.hasPending
        }
        if needsLook { waker.yield() }
    }

    /// A matcher says so. What waits for its outcome need not wait for the feed.
    func somethingExecuted() {
        if state.withLock({ $0.orders.hasPending }) { waker.yield() }
    }

    /// Looks no more.
    func close() { waker.finish() }

    private func noteCount(of socket: SocketID, _ state: borrowing State) {
        let count = state.orders.orderCount(of: socket)
        openOrders.withLock { $0[socket] = count > 0 ? count : nil }
    }

    // MARK: Looking

    func run() async {
        var sweptAt = ContinuousClock.now
        for await _ in wakes {
            let began = ContinuousClock.now
            do {
                try await look(&sweptAt)
            } catch is CancellationError {
                break
            } catch {
                logger.warning("order events wait: the database cannot be read", metadata: ["error": "\(error)"])
                waker.yield()
            }
            if state.withLock({ $0.orders.owesSweep || $0.movements.isUnsettled }) { waker.yield() }
            // What comes meanwhile is answered together; and at most a third of the time goes into looking.
            let pause = max(.milliseconds(limits.orderEventIntervalMilliseconds), (ContinuousClock.now - began) * 2)
            try? await Task.sleep(for: pause)
        }
    }

    private func look(_ sweptAt: inout ContinuousClock.Instant) async throws {
        state.withLock { state in
            let untold = state.movements.takeUntold()
            state.orders.wereTraded(untold.makers)
            if untold.isCertain { state.orders.oweSweep() }
        }
        repeat {
            try await lookUp(state.withLock { $0.orders.nextLookup() })
        } while state.withLock { $0.orders.hasTouched }
        let now = ContinuousClock.now
        guard state.withLock({ $0.orders.owesSweep }),
            sweptAt + .milliseconds(limits.sweepIntervalMilliseconds) <= now
        else { return }
        sweptAt = now
        try await lookUp(state.withLock { $0.orders.nextSweep() })
    }

    private func lookUp(_ ids: [OrderID]) async throws {
        guard !ids.isEmpty else { return }
        // A market that the feed has not met yet has no units: its orders wait.
        let states = try await reader.commandStates(ids).filter { directory[$0.market] != nil }
        state.withLock { state in
            let events = state.orders.found(states, askedFor: ids)
            post(events, state)
            for socket in Set(events.map(\.socket)) { noteCount(of: socket, state) }
        }
        hub.deliver()
    }

    /// While the state is held: what is posted of one order is in the order of what was found.
    private func post(_ events: [OwnOrders.Event], _: borrowing State) {
        metrics.sentOrderEvents(events.count)
        for event in events { hub.post(.event(event)) }
    }

    /// Nil where the market is not known.
    func frame(for event: OwnOrders.Event) -> ByteBuffer? {
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
