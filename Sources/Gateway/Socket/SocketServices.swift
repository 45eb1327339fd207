import Logging
import NIOCore
import OrderBook
import Store
import Wire

/// What a socket needs of the rest of the gateway.
struct SocketServices: Sendable {
    let desk: CommandDesk
    let tracker: OrderTracker
    /// Whom a token speaks for.
    let tokens: [String: UserID]
    let metrics: GatewayMetrics
    let logger: Logger

    func user(ofToken token: String) -> UserID? { tokens[token] }

    /// Enters a command. The answer is called once, on any thread, with the frame for the client; nil where an order
    /// event will say it all.
    func enter(_ command: SocketCommand, answer: @escaping @Sendable (ByteBuffer?) -> Void) {
        if case .add(let order) = command.request, !tracker.hasRoom(command.socket) {
            let error = WireError(.busy, "the socket has as many open orders as it may; cancel some first")
            return answer(FrameBytes.text(ErrorMessage(error, clientOrderID: order.clientOrderID)))
        }
        let entry = Entry(id: IDMaker.orderID(), user: command.user, command.request)
        let tracker = tracker
        desk.submit(entry) { deskAnswer in
            answer(Self.frame(for: deskAnswer, to: command))
            if case .admission(.admitted(let id, _)) = deskAnswer {
                // After the answer, so that the client hears of the order before it hears what became of it.
                tracker.entered(
                    OwnOrders.Entered(id: id, socket: command.socket, user: command.user, request: command.request))
            }
            tracker.answered(command.socket)
        }
    }

    private static func frame(for answer: DeskAnswer, to command: SocketCommand) -> ByteBuffer? {
        if let error = WireError(answer) { return FrameBytes.text(ErrorMessage(error, about: command.request)) }
        // Of a retry the tables know more than that it was entered.
        guard case .add(let order) = command.request, case .admission(.admitted(let id, isRetry: false)) = answer else {
            return nil
        }
        return FrameBytes.text(OrderMessage(pending: order, id: id))
    }

    func socketClosed(_ state: SocketState) {
        tracker.socketClosed(
            state.id, cancelsOrders: state.cancelsOnDisconnect, commandsUnanswered: state.commandsUnanswered)
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
