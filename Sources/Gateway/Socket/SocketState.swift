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
    /// For whom it gives commands.
    private(set) var sender: Sender
    /// Who showed a token; nil for a socket that is named by itself.
    private(set) var identity: Access.Identity?
    /// Without an identity it only reads.
    let needsToken: Bool
    private(set) var wrongTokens = 0
    private(set) var cancelsOnDisconnect = false
    /// For everything but commands.
    private(set) var allowance: Allowance
    private var phase = Phase.open
    private var assembler: MessageAssembler
    private(set) var commandsUnanswered = 0
    private var pingsUnanswered = 0

    init(
        id: SocketID, sender: Sender, identity: Access.Identity? = nil, needsToken: Bool = false, limits: GatewayLimits
    ) {
        self.id = id
        self.sender = sender
        self.identity = identity
        self.needsToken = needsToken
        self.limits = limits
        allowance = Allowance(perSecond: limits.sideFramesPerSecond, burst: limits.sideFramesBurst)
        assembler = MessageAssembler(bytesMax: limits.wire.messageBytesMax, fragmentsMax: limits.fragmentsMax)
    }

    var user: UserID { sender.user }

    var isOpen: Bool {
        switch phase {
        case .open: true
        case .closing: false
        }
    }

    enum FrameAction {
        case nothing
        case send(ByteBuffer)
        /// Of several pings before the next flush the last is answered (RFC 6455, 5.5.3).
        case pong(ByteBuffer)
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
        case .incomplete, .pong:
            allowance.spend(1)
            return .nothing
        case .ping(let payload):
            allowance.spend(1)
            return .pong(FrameBytes.pong(payload))
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
            return refuse(ErrorMessage(error), cost: 2 + bytes.count / 1_024)
        }
        switch message {
        case .add(let order): return enter(.add(order))
        case .amend(let amend): return enter(.amend(amend))
        case .delete(let id): return enter(.delete(id))
        case .cancelAll(let orders): return enter(.cancelAll(orders))
        case .subscribe(let securities):
            allowance.spend(10 + securities.count)
            return .subscribe(securities)
        case .auth(let token):
            allowance.spend(10)
            return .authenticate(token: token)
        case .cancelOnDisconnect(let isOn):
            allowance.spend(1)
            cancelsOnDisconnect = isOn
            return .send(FrameBytes.text(CancelOnDisconnectMessage(isEnabled: isOn)))
        }
    }

    private mutating func refuse(_ message: ErrorMessage, cost: Int) -> FrameAction {
        allowance.spend(cost)
        return .send(FrameBytes.text(message))
    }

    private mutating func enter(_ request: OrderRequest) -> FrameAction {
        guard !needsToken || identity != nil else {
            let error = WireError(
                .unauthorized, "commands need a token here: send {\"type\":\"auth\",\"token\":…} first")
            return refuse(ErrorMessage(error, about: request), cost: 2)
        }
        guard commandsUnanswered < limits.commandsPerSocketMax else {
            let error = WireError(
                .busy, "\(commandsUnanswered) commands of this socket are not answered yet; wait for their answers")
            return refuse(ErrorMessage(error, about: request), cost: Self.busyCost)
        }
        commandsUnanswered += 1
        return .enter(SocketCommand(socket: id, sender: sender, request: request))
    }

    /// Whoever is told that there is no room should send less, and is read more slowly until it does.
    private static let busyCost = 16

    /// A command was answered, whatever the answer.
    mutating func commandAnswered(isBusy: Bool = false) {
        commandsUnanswered -= 1
        if isBusy { allowance.spend(Self.busyCost) }
    }

    mutating func authenticated(as identity: Access.Identity) {
        self.identity = identity
        sender = Sender(address: sender.address, user: identity.user)
    }

    /// True when it has shown more wrong tokens than a socket may.
    mutating func showedWrongToken() -> Bool {
        wrongTokens += 1
        return wrongTokens >= limits.wrongTokensPerSocketMax
    }

    /// How long the socket is not read because it sent too much; nil where it is.
    mutating func pause(now: NIODeadline) -> TimeAmount? { allowance.wait(now: now) }

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

struct SocketCommand: Sendable {
    var socket: SocketID
    var sender: Sender
    var request: OrderRequest

    var user: UserID { sender.user }
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
