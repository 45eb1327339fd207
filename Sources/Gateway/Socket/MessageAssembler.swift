import NIOCore
import NIOWebSocket

/// Puts the frames of a client together to whole messages, and holds it to the protocol. A value: it decides, and does
/// nothing.
struct MessageAssembler {
    enum Event: Equatable {
        /// A whole message.
        case text(ByteBuffer)
        case ping(ByteBuffer)
        case pong
        /// The client closes, or breaks the protocol.
        case close(WebSocketErrorCode, fault: Fault?)
        /// More frames must come first.
        case incomplete
    }

    enum Fault: Equatable {
        case tooBig
        case notText
        case protocolError
    }

    let bytesMax: Int
    let fragmentsMax: Int
    private var partial: ByteBuffer?
    private var fragmentCount = 0

    init(bytesMax: Int, fragmentsMax: Int) {
        self.bytesMax = bytesMax
        self.fragmentsMax = fragmentsMax
    }

    mutating func frameArrived(_ frame: WebSocketFrame) -> Event {
        // A client must mask, and no extension was agreed on.
        guard frame.maskKey != nil, frame.reservedBits.isEmpty else {
            return .close(.protocolError, fault: .protocolError)
        }
        switch frame.opcode {
        case .text: return started(frame)
        case .continuation: return continued(frame)
        case .binary: return .close(.unacceptableData, fault: .notText)
        case .ping: return .ping(frame.unmaskedData)
        case .pong: return .pong
        case .connectionClose: return .close(Self.closeCode(of: frame.unmaskedData), fault: nil)
        default: return .close(.protocolError, fault: .protocolError)
        }
    }

    private mutating func started(_ frame: WebSocketFrame) -> Event {
        guard partial == nil else { return .close(.protocolError, fault: .protocolError) }
        guard frame.length <= bytesMax else { return .close(.messageTooLarge, fault: .tooBig) }
        if frame.fin { return .text(frame.unmaskedData) }
        partial = frame.unmaskedData
        fragmentCount = 1
        return .incomplete
    }

    private mutating func continued(_ frame: WebSocketFrame) -> Event {
        guard var message = partial else { return .close(.protocolError, fault: .protocolError) }
        partial = nil
        fragmentCount += 1
        guard message.readableBytes + frame.length <= bytesMax, fragmentCount <= fragmentsMax else {
            return .close(.messageTooLarge, fault: .tooBig)
        }
        message.writeImmutableBuffer(frame.unmaskedData)
        if frame.fin { return .text(message) }
        partial = message
        return .incomplete
    }

    /// The client's code is sent back to it; without one it is a normal closure.
    private static func closeCode(of payload: ByteBuffer) -> WebSocketErrorCode {
        guard let number = payload.getInteger(at: payload.readerIndex, as: UInt16.self) else { return .normalClosure }
        switch number {
        case 1000...1003, 1007...1011, 3000...4999: return WebSocketErrorCode(codeNumber: Int(number))
        default: return .protocolError
        }
    }
}
