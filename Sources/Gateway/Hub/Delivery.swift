import OrderBook
import Wire

/// Something for one socket that another thread knows of.
enum Delivery: Sendable {
    /// The command was not carried out.
    case refused(SocketCommand, WireError)
    /// The command stands in the log; `pending` is the id of an order of which nothing more is known.
    case entered(SocketCommand, pending: OrderID?)
    case event(OwnOrders.Event)

    var socket: SocketID {
        switch self {
        case .refused(let command, _), .entered(let command, _): command.socket
        case .event(let event): event.socket
        }
    }

    /// Whether it is the one answer to a command.
    var isAnswer: Bool {
        switch self {
        case .refused, .entered: true
        case .event: false
        }
    }

    /// Whether there was no room for the command.
    var isBusy: Bool {
        if case .refused(_, let error) = self { error.code == .busy } else { false }
    }

    /// Whether the client is told of it.
    var isMessage: Bool {
        switch self {
        case .entered(_, nil): false
        case .refused, .entered, .event: true
        }
    }
}
