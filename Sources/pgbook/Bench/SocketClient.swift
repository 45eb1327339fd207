import NIOCore

/// One WebSocket that sends orders and reads what becomes of them, with as little work as can be: it shares the machine
/// with the server under test. Lives on the load's event loop.
///
/// The first message about an order that is not known yet belongs to the oldest command without an answer: the server
/// answers the commands of a socket in their order.
final class SocketClient: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// An order under way.
    struct Sent {
        /// Nanoseconds of uptime: when it was sent, or should have been.
        var at: UInt64
        var isMeasured: Bool
    }

    private enum Phase {
        case handshake
        case joining
        case ready
    }

    private let load: SocketLoad
    private let marketLength: Int
    private var phase = Phase.handshake
    private var context: ChannelHandlerContext?
    private var received = ByteBuffer()
    private var toSend = ByteBuffer()
    /// Orders of which nothing was heard.
    private var unheard: CircularBuffer<Sent> = []
    /// Orders that wait for their turn, by the hash of their id.
    private var pending: [UInt64: Sent] = [:]
    /// Orders that were open when last heard of.
    private var open: Set<UInt64> = []

    init(_ load: SocketLoad, market: String) {
        self.load = load
        marketLength = market.utf8.count
    }

    var unanswered: Int { unheard.count + pending.count }

    // MARK: Sending

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        let request = [
            "GET /ws HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "", "",
        ].joined(separator: "\r\n")
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
    }

    /// Keeps an order for the next `flush`.
    func send(_ frame: ByteBuffer, _ sent: Sent) {
        toSend.writeImmutableBuffer(frame)
        unheard.append(sent)
    }

    func flush() {
        guard let context, toSend.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(toSend), promise: nil)
        toSend = context.channel.allocator.buffer(capacity: 1 << 12)
    }

    func close() { context?.close(promise: nil) }

    // MARK: Receiving

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        load.tally.bytesReceived += bytes.readableBytes
        if received.readableBytes == 0 { swap(&received, &bytes) } else { received.writeBuffer(&bytes) }
        if phase == .handshake, !takeHandshake() { return }
        while takeFrame() {}
        if received.readableBytes == 0 { received.clear() }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if phase == .ready { load.readEnded(self) }
        flush()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        load.lost(self, unanswered: unanswered)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func takeHandshake() -> Bool {
        let head = String(decoding: received.readableBytesView, as: UTF8.self)
        guard let end = head.firstRange(of: "\r\n\r\n") else { return false }
        guard head.hasPrefix("HTTP/1.1 101 ") else {
            close()
            return false
        }
        received.moveReaderIndex(forwardBy: head[..<end.upperBound].utf8.count)
        phase = .joining
        // No books and trades: what the server does for followers is another measurement.
        toSend.writeImmutableBuffer(SocketFrame.text(Array(#"{"type":"subscribe","securities":[]}"#.utf8)))
        return true
    }

    private func takeFrame() -> Bool {
        let start = received.readerIndex
        guard let second = received.getInteger(at: start + 1, as: UInt8.self),
            let first = received.getInteger(at: start, as: UInt8.self)
        else { return false }
        var (headerLength, length) = (2, Int(second))
        if second == 126 {
            guard let long = received.getInteger(at: start + 2, as: UInt16.self) else { return false }
            (headerLength, length) = (4, Int(long))
        } else if second == 127 {
            guard let long = received.getInteger(at: start + 2, as: UInt64.self) else { return false }
            (headerLength, length) = (10, Int(long))
        }
        guard received.readableBytes >= headerLength + length else { return false }
        switch first {
        case 0x81: read(at: start + headerLength, length)
        case 0x89:
            let payload = received.getSlice(at: start + headerLength, length: length) ?? ByteBuffer()
            toSend.writeImmutableBuffer(SocketFrame.pong(payload))
        case 0x88: close()
        default: break
        }
        received.moveReaderIndex(forwardBy: headerLength + length)
        return true
    }

    /// Tells messages apart by the letters at which they differ: `{"type":"order"`, `{"type":"error"`.
    private func read(at start: Int, _ length: Int) {
        let letters = received.getInteger(at: start + 9, as: UInt32.self) ?? 0
        switch letters {
        case 0x6F72_6465: readOrder(at: start, length)
        case 0x6572_726F: readError(at: start, length)
        case 0x7375_6273 where phase == .joining:
            phase = .ready
            load.joined()
        default: load.tally.otherMessages += 1
        }
    }

    /// `{"type":"order","id":"…36…","security":"…","status":"`: everything stands where the lengths say.
    private func readOrder(at start: Int, _ length: Int) {
        let status = start + 22 + 36 + 14 + marketLength + 12
        guard let high = received.getInteger(at: start + 22 + 20, as: UInt64.self),
            let low = received.getInteger(at: start + 22 + 28, as: UInt64.self),
            let letter = received.getInteger(at: status, as: UInt8.self),
            let word = SocketTally.Status(firstLetter: letter)
        else { return load.tally.count(error: "unreadable") }
        // 60 bits of the id, mostly random ones.
        let id = (high &* 0x9E37_79B9_7F4A_7C15) ^ low
        if word == .pending {
            if let sent = unheard.popFirst() { pending[id] = sent }
            return
        }
        if open.contains(id) {
            load.tally.laterEvents += 1
            if word != .open { open.remove(id) }
            return
        }
        if word == .open { open.insert(id) }
        guard let sent = pending.removeValue(forKey: id) ?? unheard.popFirst() else {
            return load.tally.count(error: "unexpected")
        }
        let reason = word == .refused ? value(of: "reason", at: start, length) : nil
        load.answered(sent, word, reason: reason)
    }

    private func readError(at start: Int, _ length: Int) {
        guard let sent = unheard.popFirst() else { return load.tally.count(error: "unexpected") }
        load.failed(sent, code: value(of: "code", at: start, length))
    }

    private func value(of key: String, at start: Int, _ length: Int) -> String {
        let text = received.getString(at: start, length: length) ?? ""
        guard let range = text.firstRange(of: "\"\(key)\":\"") else { return "unknown" }
        return String(text[range.upperBound...].prefix { $0 != "\"" })
    }
}
