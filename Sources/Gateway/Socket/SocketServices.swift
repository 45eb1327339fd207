import Logging
import NIOCore
import OrderBook
import Store
import Wire

/// What a socket needs of the rest of the gateway.
struct SocketServices: Sendable {
    let desk: CommandDesk
    let tracker: OrderTracker
    let hub: Hub
    let access: Access
    let metrics: GatewayMetrics
    let logger: Logger

    /// Takes a command until the next `handOver`. It is answered once, with a delivery.
    func take(_ command: SocketCommand) {
        if case .add = command.request, !tracker.hasRoom(command.socket) {
            let error = WireError(.busy, "the socket has as many open orders as it may; cancel some first")
            return hub.post(.refused(command, error))
        }
        let entry = Entry(id: IDMaker.orderID(), user: command.user, command.request)
        desk.put(entry, from: command.sender) { settle(command, $0) }
    }

    /// Enters what was taken.
    func handOver() {
        hub.deliver()
        desk.handOver()
    }

    /// Called on any thread.
    private func settle(_ command: SocketCommand, _ answer: DeskAnswer) {
        if let error = WireError(answer) {
            hub.post(.refused(command, error))
        } else if case .receipt(let receipt) = answer, case .admitted(let id, let isRetry) = receipt.admission {
            // Of a retry the tables know more, and so they do of a market that the feed has not met yet.
            let known = isRetry ? nil : receipt.state.flatMap { tracker.canTell($0) ? $0 : nil }
            hub.post(.entered(command, pending: isRetry || known != nil ? nil : id))
            // After the answer, so that the client hears of the order before it hears what became of it.
            let isWanted = tracker.entered(
                OwnOrders.Entered(id: id, socket: command.socket, user: command.user, request: command.request),
                known: known)
            if !isWanted { cancel([(id: id, user: command.user)], from: command.sender) }
        }
        tracker.answered(command.socket)
    }

    /// What a delivery says to the client; nil for nothing.
    func frame(for delivery: Delivery) -> ByteBuffer? {
        switch delivery {
        case .refused(let command, let error): return FrameBytes.text(ErrorMessage(error, about: command.request))
        case .entered(let command, let pending):
            guard let id = pending, case .add(let order) = command.request else { return nil }
            return FrameBytes.text(OrderMessage(pending: order, id: id))
        case .event(let event): return tracker.frame(for: event)
        }
    }

    func socketClosed(_ state: SocketState) {
        let open = tracker.socketClosed(
            state.id, cancelsOrders: state.cancelsOnDisconnect, commandsUnanswered: state.commandsUnanswered)
        if state.cancelsOnDisconnect { cancel(open, from: state.sender) }
    }

    /// Nobody is left to hear the answers.
    private func cancel(_ orders: [(id: OrderID, user: UserID)], from sender: Sender) {
        for order in orders {
            desk.put(Entry(id: IDMaker.orderID(), user: order.user, .delete(order.id)), from: sender) { _ in }
        }
        if !orders.isEmpty { desk.handOver() }
    }
}

extension OrderMessage {
    /// An order that was entered and waits for its turn.
    init(pending order: AddOrder, id: OrderID) {
        self.init(
            id: id, security: order.security, status: "pending", filled: .zero, remaining: order.amount,
            clientOrderID: order.clientOrderID)
    }
}
