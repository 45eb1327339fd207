import NIOCore
import OrderBook
import Store
import Wire

/// The orders and commands of the sockets, and what must be looked up next. A value: it decides, and does nothing.
///
/// The tables are the truth: an event is sent when what they say of an order differs from what its socket was told last.
struct OwnOrders {
    /// A command that was entered for a socket.
    struct Entered: Sendable {
        var id: OrderID
        var socket: SocketID
        var user: UserID
        var request: OrderRequest
    }

    /// What to send, and to whom.
    enum Event: Equatable {
        case order(SocketID, CommandState, clientOrderID: String?)
        /// An amend or cancel was refused when its turn came.
        case refused(SocketID, CommandState, target: OrderID)
        case cancelledAll(SocketID, CommandState)
    }

    private struct Order {
        var socket: SocketID
        var user: UserID
        var clientOrderID: String?
        /// What the socket was told last; nil: only that it waits.
        var told: CommandState?
        /// The count of changes when it was told that.
        var toldAt = 0
    }

    private let lookupMax: Int
    private var orders: [OrderID: Order] = [:]
    private var ordersOfSocket: [SocketID: Set<OrderID>] = [:]
    /// Amends, cancels and cancel-alls that were not executed yet.
    private var commands: [OrderID: Entered] = [:]
    /// Everything not executed yet, longest waiting first.
    private var pending: [OrderID] = []
    /// Executed orders whose rows may have changed.
    private var touched: Set<OrderID> = []
    /// Sockets that want to hear of an order that is not their own.
    private var curious: [OrderID: Set<SocketID>] = [:]
    /// Open orders in the order in which they are looked at when nothing points at them. May hold some that are gone.
    private var sweep: CircularBuffer<OrderID> = []
    /// How many of them have not been looked at since the markets last moved.
    private var sweepOwed = 0
    /// Changes that were told without looking, ever; and how many there were when the last look began: what that look
    /// saw of an order that changed since may be older than what its socket knows.
    private var changeCount = 0
    private var changeCountLooked = 0

    init(lookupMax: Int) { self.lookupMax = lookupMax }

    var isEmpty: Bool { orders.isEmpty && commands.isEmpty && curious.isEmpty }

    func orderCount(of socket: SocketID) -> Int { ordersOfSocket[socket]?.count ?? 0 }

    // MARK: What happens

    mutating func entered(_ entered: Entered) {
        if note(entered) { pending.append(entered.id) }
    }

    /// A command was entered and executed at once.
    mutating func entered(_ entered: Entered, state: CommandState) -> [Event] {
        _ = note(entered)
        changeCount += 1
        return found(state)
    }

    /// What became of orders, as the transaction says that changed them: nothing can be newer.
    mutating func changed(_ states: [CommandState]) -> [Event] {
        changeCount += 1
        var events: [Event] = []
        for state in states where orders[state.id] != nil || curious[state.id] != nil {
            touched.remove(state.id)
            events += found(state)
        }
        return events
    }

    /// False where it is a retry of an order that this or another socket has already: whoever asks is told.
    private mutating func note(_ entered: Entered) -> Bool {
        switch entered.request {
        case .add(let add):
            guard orders[entered.id] == nil else {
                curious[entered.id, default: []].insert(entered.socket)
                touched.insert(entered.id)
                return false
            }
            orders[entered.id] = Order(socket: entered.socket, user: entered.user, clientOrderID: add.clientOrderID)
            ordersOfSocket[entered.socket, default: []].insert(entered.id)
        case .amend, .delete, .cancelAll:
            commands[entered.id] = entered
        }
        return true
    }

    /// These makers were traded with.
    mutating func wereTraded(_ makers: [OrderID]) {
        for maker in makers where orders[maker] != nil { touched.insert(maker) }
    }

    /// Any open order may have changed.
    mutating func oweSweep() { sweepOwed = sweep.count }

    /// Forgets a socket; returns its open orders and whose they are.
    mutating func socketClosed(_ socket: SocketID) -> [(id: OrderID, user: UserID)] {
        let ids = ordersOfSocket.removeValue(forKey: socket) ?? []
        let open = ids.compactMap { id in orders.removeValue(forKey: id).map { (id: id, user: $0.user) } }
        touched.subtract(ids)
        commands = commands.filter { $0.value.socket != socket }
        pending.removeAll { orders[$0] == nil && commands[$0] == nil }
        for (id, sockets) in curious where sockets.contains(socket) {
            curious[id] = sockets.count == 1 ? nil : sockets.subtracting([socket])
        }
        return open
    }

    // MARK: Looking

    /// Whether something waits for its turn.
    var hasPending: Bool { !pending.isEmpty }

    /// What to look up now: what was touched, then what waits. Empty when nothing is there to ask for.
    mutating func nextLookup() -> [OrderID] {
        changeCountLooked = changeCount
        var ids = Set(touched.prefix(lookupMax))
        touched.subtract(ids)
        for id in pending.prefix(lookupMax - ids.count) { ids.insert(id) }
        return Array(ids)
    }

    /// Whether an order may have changed that nothing points at: one cancelled elsewhere, or expired.
    var owesSweep: Bool { sweepOwed > 0 }

    /// The next open orders whose turn it is. With many that are gone it may be fewer than there are.
    mutating func nextSweep() -> [OrderID] {
        changeCountLooked = changeCount
        var ids: [OrderID] = []
        for _ in 0..<4 * lookupMax where sweepOwed > 0 && ids.count < lookupMax {
            guard let id = sweep.popFirst() else { break }
            sweepOwed -= 1
            guard orders[id] != nil else { continue }
            ids.append(id)
            sweep.append(id)
        }
        return ids
    }

    /// An order rests from now on. Two older ones are looked at, so that those that are gone leave in time.
    private mutating func appendToSweep(_ id: OrderID) {
        for _ in 0..<2 where sweepOwed == 0 {
            guard let oldest = sweep.popFirst() else { break }
            if orders[oldest] != nil { sweep.append(oldest) }
        }
        sweep.append(id)
    }

    /// How many orders the sweep holds, those included that are gone.
    var sweepCount: Int { sweep.count }

    /// Whether something that surely changed has not been looked up yet.
    var hasTouched: Bool { !touched.isEmpty }

    /// What the tables said.
    mutating func found(_ states: [CommandState], askedFor ids: [OrderID]) -> [Event] {
        let executed = Set(states.map(\.id))
        let waiting = Set(ids).subtracting(executed)
        // Those still waiting make room for others at the next look.
        if pending.count > lookupMax {
            pending =
                pending.filter { !waiting.contains($0) && !executed.contains($0) } + pending.filter(waiting.contains)
        } else {
            pending.removeAll(where: executed.contains)
        }
        var events: [Event] = []
        for state in states {
            if let order = orders[state.id], order.toldAt > changeCountLooked {
                touched.insert(state.id)
            } else {
                events += found(state)
            }
        }
        return events
    }

    private mutating func found(_ state: CommandState) -> [Event] {
        if let command = commands.removeValue(forKey: state.id) { return executed(command, state) }
        var events: [Event] = []
        let clientOrderID = orders[state.id]?.clientOrderID
        for socket in curious.removeValue(forKey: state.id) ?? [] {
            events.append(.order(socket, state, clientOrderID: clientOrderID))
        }
        guard var order = orders[state.id], order.told != state else { return events }
        if order.told == nil, state.isResting { appendToSweep(state.id) }
        order.told = state
        order.toldAt = changeCount
        orders[state.id] = order
        if !events.contains(where: { $0.socket == order.socket }) {
            events.append(.order(order.socket, state, clientOrderID: clientOrderID))
        }
        if !state.isResting { forget(state.id, of: order.socket) }
        return events
    }

    private mutating func forget(_ id: OrderID, of socket: SocketID) {
        orders[id] = nil
        ordersOfSocket[socket]?.remove(id)
        if ordersOfSocket[socket]?.isEmpty == true { ordersOfSocket[socket] = nil }
    }

    private mutating func executed(_ command: Entered, _ state: CommandState) -> [Event] {
        switch command.request {
        case .add: return []
        case .amend(let amend): return executed(command, state, target: amend.id)
        case .delete(let target): return executed(command, state, target: target)
        case .cancelAll:
            touched.formUnion(orders.filter { $0.value.user == command.user && $0.value.told != nil }.keys)
            return [.cancelledAll(command.socket, state)]
        }
    }

    private mutating func executed(_ command: Entered, _ state: CommandState, target: OrderID) -> [Event] {
        guard !state.code.isRefusal else { return [.refused(command.socket, state, target: target)] }
        touched.insert(target)
        curious[target, default: []].insert(command.socket)
        return []
    }
}

extension OwnOrders.Event {
    var socket: SocketID {
        switch self {
        case .order(let socket, _, _), .refused(let socket, _, _), .cancelledAll(let socket, _): socket
        }
    }
}
