import Foundation
import NIOCore
import Synchronization
import TestSupport
import Wire

/// A WebSocket client written for these tests alone: it can also break the rules.
final class TestSocket: Sendable {
    private let connection: RawConnection
    private let state = Mutex(State())

    private struct State {
        var pending = ByteBuffer()
        var messages: [JSONValue] = []
        var closeCode: Int?
    }

    private init(_ connection: RawConnection) { self.connection = connection }

    static func connect(port: Int, path: String = "/ws", headers: [String] = []) async throws -> TestSocket {
        let socket = TestSocket(try await RawConnection.connect(port: port))
        let request =
            ([
                "GET \(path) HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
            ] + headers + ["", ""]).joined(separator: "\r\n")
        try await socket.connection.write(ByteBuffer(string: request))
        try await eventually("the handshake is answered") { try socket.takeHandshake() }
        return socket
    }

    private func takeHandshake() throws -> Bool {
        try state.withLock { state in
            state.pending.writeImmutableBuffer(connection.take())
            let text = String(decoding: state.pending.readableBytesView, as: UTF8.self)
            guard let end = text.range(of: "\r\n\r\n") else { return false }
            let head = text[..<end.upperBound]
            // The accept key of RFC 6455's own sample.
            guard head.hasPrefix("HTTP/1.1 101 "), head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") else {
                throw TestFault("no handshake: \(text)")
            }
            state.pending.moveReaderIndex(forwardBy: head.utf8.count)
            return true
        }
    }

    // MARK: Sending

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    /// One whole frame, unless told otherwise.
    func send(_ payload: [UInt8], opcode: UInt8 = 1, isFinal: Bool = true, isMasked: Bool = true) async throws {
        var buffer = ByteBuffer()
        buffer.writeInteger((isFinal ? 0x80 : 0) | opcode)
        let maskBit: UInt8 = isMasked ? 0x80 : 0
        switch payload.count {
        case ..<126: buffer.writeInteger(maskBit | UInt8(payload.count))
        case ..<65_536:
            buffer.writeInteger(maskBit | 126)
            buffer.writeInteger(UInt16(payload.count))
        default:
            buffer.writeInteger(maskBit | 127)
            buffer.writeInteger(UInt64(payload.count))
        }
        let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        if isMasked { buffer.writeBytes(key) }
        buffer.writeBytes(isMasked ? payload.enumerated().map { $1 ^ key[$0 % 4] } : payload)
        try await connection.write(buffer)
    }

    func sendRaw(_ bytes: [UInt8]) async throws { try await connection.write(ByteBuffer(bytes: bytes)) }

    func setReads(_ reads: Bool) async throws { try await connection.setReads(reads) }

    func hangUp() { connection.close() }

    // MARK: Receiving

    /// Everything received so far.
    var messages: [JSONValue] {
        state.withLock { state in
            state.pending.writeImmutableBuffer(connection.take())
            while Self.takeFrame(&state) {}
            return state.messages
        }
    }

    /// The code of the server's close frame.
    var closeCode: Int? {
        _ = messages
        return state.withLock { $0.closeCode }
    }

    var isClosed: Bool { connection.isClosed }

    /// Waits for the first message that fits.
    func first(_ what: String = "a message", where fits: (JSONValue) -> Bool) async throws -> JSONValue {
        var found: JSONValue?
        do {
            try await eventually(what) {
                found = messages.first(where: fits)
                return found != nil
            }
        } catch {
            throw TestFault("\(error); received: \(messages.suffix(8))")
        }
        return try found.unwrapped()
    }

    func first(type: String, _ fields: [String: JSONValue] = [:]) async throws -> JSONValue {
        try await first("a message of type \(type) with \(fields)") { message in
            message["type"] == .string(type) && fields.allSatisfy { message[$0.key] == $0.value }
        }
    }

    private static func takeFrame(_ state: inout State) -> Bool {
        var buffer = state.pending
        guard let first = buffer.readInteger(as: UInt8.self), let second = buffer.readInteger(as: UInt8.self) else {
            return false
        }
        let length: Int? =
            switch second {
            case 126: buffer.readInteger(as: UInt16.self).map { Int($0) }
            case 127: buffer.readInteger(as: UInt64.self).map { Int($0) }
            default: Int(second)
            }
        guard let length, let payload = buffer.readBytes(length: length) else { return false }
        state.pending = buffer
        switch first {
        case 0x81:
            let limits = WireLimits(messageBytesMax: 1 << 24)
            if let message = try? JSONValue.parse(payload, limits: limits) { state.messages.append(message) }
        case 0x88: state.closeCode = payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : 1005
        default: break
        }
        return true
    }
}

extension Optional {
    fileprivate func unwrapped() throws -> Wrapped {
        guard let self else { throw TestFault("nothing was found") }
        return self
    }
}

extension JSONValue {
    subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    var text: String? {
        switch self {
        case .string(let text), .number(let text): text
        default: nil
        }
    }

    var elements: [JSONValue] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }
}
