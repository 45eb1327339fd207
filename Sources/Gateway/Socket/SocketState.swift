import NIOCore
import NIOWebSocket
import OrderBook
import Wire

/// One client's conversation. A value: each event gives the action that the handler carries out.
struct SocketState {
    private enum Phase {
        case open
        /// Our close frame is written; the client's is awaited.
        case closing
    }

    let id: SocketID
    let limits: GatewayLimits
    private(set) var user: UserID
    private(set) var cancelsOnDisconnect = false
    private(set) var securities: Set<String> = []
    /// Follows markets that appear later, until it subscribes by name.
    private(set) var followsNewMarkets = true
    private var phase = Phase.open
    private var assembler: MessageAssembler
    private(set) var commandsUnanswered = 0
    private var pingsUnanswered = 0

    init(id: SocketID, user: UserID, limits: GatewayLimits) {
        self.id = id
        self.user = user
        self.limits = limits
        assembler = MessageAssembler(bytesMax: limits.wire.messageBytesMax, fragmentsMax: limits.fragmentsMax)
    }

    var isOpen: Bool {
        switch phase {
        case .open: true
        case .closing: false
        }
    }

    enum FrameAction {
        case nothing
        case send(ByteBuffer)
        case enter(SocketCommand)
        case subscribe([String])
        case authenticate(token: String)
        /// Says why, then says goodbye.
        case close(WebSocketErrorCode, WireError?)
        /// The client's close frame answers ours: hang up.
        case hangUp
    }

    mutating func frameArrived(_ frame: WebSocketFrame) -> FrameAction {
        pingsUnanswered = 0
        guard isOpen else {
            return frame.opcode == .connectionClose ? .hangUp : .nothing
        }
        switch assembler.frameArrived(frame) {
        case .incomplete, .pong: return .nothing
        case .ping(let payload): return .send(FrameBytes.pong(payload))
        case .text(let message): return messageArrived(Array(message.readableBytesView))
        case .close(let code, let fault): return .close(code, fault.map { describe($0) })
        }
    }

    private func describe(_ fault: MessageAssembler.Fault) -> WireError {
        switch fault {
        case .tooBig:
            WireError(.tooBig, "the message is too big: at most \(limits.wire.messageBytesMax) bytes are allowed")
        case .notText: WireError(.badJSON, "the message is binary: send JSON in text frames")
        case .protocolError: WireError(.badJSON, "the frame breaks the WebSocket protocol (RFC 6455)")
        }
    }

    private mutating func messageArrived(_ bytes: [UInt8]) -> FrameAction {
        let message: ClientMessage
        do {
            message = try ClientMessage.parse(bytes, limits: limits.wire)
        } catch {
            // RFC 6455 wants the connection failed when a text is not UTF-8; every other mistake is only answered.
            if error.code == .badUTF8 { return .close(.dataInconsistentWithMessage, error) }
            return .send(FrameBytes.text(ErrorMessage(error)))
        }
        switch message {
        case .add(let order): return enter(.add(order))
        case .amend(let amend): return enter(.amend(amend))
        case .delete(let id): return enter(.delete(id))
        case .cancelAll(let orders): return enter(.cancelAll(orders))
        case .subscribe(let securities): return .subscribe(securities)
        case .auth(let token): return .authenticate(token: token)
        case .cancelOnDisconnect(let isOn):
            cancelsOnDisconnect = isOn
            return .send(FrameBytes.text(CancelOnDisconnectMessage(isEnabled: isOn)))
        }
    }

    private mutating func enter(_ request: OrderRequest) -> FrameAction {
        guard commandsUnanswered < limits.commandsPerSocketMax else {
            let error = WireError(
                .busy, "\(commandsUnanswered) commands of this socket are not answered yet; wait for their answers")
            return .send(FrameBytes.text(ErrorMessage(error, about: request)))
        }
        commandsUnanswered += 1
        return .enter(SocketCommand(socket: id, user: user, request: request))
    }

    /// A command was answered, whatever the answer.
    mutating func commandAnswered() { commandsUnanswered -= 1 }

    mutating func authenticated(as user: UserID) { self.user = user }

    mutating func subscribed(to securities: Set<String>, followsNewMarkets: Bool) {
        self.securities = securities
        self.followsNewMarkets = followsNewMarkets
    }

    /// True when the socket follows the new market from now on.
    mutating func marketAppeared(_ security: String) -> Bool {
        guard followsNewMarkets, securities.count < limits.wire.securitiesMax else { return false }
        return securities.insert(security).inserted
    }

    enum PingAction {
        case ping
        case hangUp
        case nothing
    }

    mutating func pingDue() -> PingAction {
        guard isOpen else { return .nothing }
        guard pingsUnanswered < 2 else { return .hangUp }
        pingsUnanswered += 1
        return .ping
    }

    /// False when it was closing already.
    mutating func beginClosing() -> Bool {
        guard isOpen else { return false }
        phase = .closing
        return true
    }
}

/// A command of a client as it asked for it.
enum OrderRequest: Hashable, Sendable {
    case add(AddOrder)
    case amend(AmendOrder)
    case delete(OrderID)
    case cancelAll(CancelOrders)
}

struct SocketCommand: Hashable, Sendable {
    var socket: SocketID
    var user: UserID
    var request: OrderRequest
}

extension ErrorMessage {
    /// Gives back what the client needs to tell which of its commands this is about.
    init(_ error: WireError, about request: OrderRequest) {
        switch request {
        case .add(let order): self.init(error, clientOrderID: order.clientOrderID)
        case .amend(let amend): self.init(error, id: amend.id)
        case .delete(let id): self.init(error, id: id)
        case .cancelAll: self.init(error)
        }
    }
}
