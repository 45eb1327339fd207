import NIOCore
import NIOWebSocket
import Wire

/// A server's frames as bytes. They carry no mask, so one buffer serves every client that is sent the same message.
enum FrameBytes {
    static func text(_ message: some ServerMessage) -> ByteBuffer { frame(0x81, message.encoded()) }

    static func ping() -> ByteBuffer { frame(0x89, []) }

    static func pong(_ payload: ByteBuffer) -> ByteBuffer { frame(0x8A, payload.readableBytesView) }

    static func close(_ code: WebSocketErrorCode) -> ByteBuffer {
        let number = UInt16(webSocketErrorCode: code)
        return frame(0x88, [UInt8(number >> 8), UInt8(number & 0xFF)])
    }

    private static func frame(_ firstByte: UInt8, _ payload: some Collection<UInt8>) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(payload.count + 10)
        buffer.writeInteger(firstByte)
        switch payload.count {
        case ..<126: buffer.writeInteger(UInt8(payload.count))
        case ..<65_536:
            buffer.writeInteger(UInt8(126))
            buffer.writeInteger(UInt16(payload.count))
        default:
            buffer.writeInteger(UInt8(127))
            buffer.writeInteger(UInt64(payload.count))
        }
        buffer.writeBytes(payload)
        return buffer
    }
}
