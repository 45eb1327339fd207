import NIOCore

/// Takes frames out of one connection's bytes. It keeps no more than one frame, and refuses one by its head alone.
struct FrameReader: NIOSingleStepByteToMessageDecoder {
    typealias InboundOut = Frame

    let cluster: UInt64
    let payloadBytesMax: Int
    private var number: UInt64 = 0

    init(cluster: UInt64, payloadBytesMax: Int) {
        self.cluster = cluster
        self.payloadBytesMax = payloadBytesMax
    }

    mutating func decode(buffer: inout ByteBuffer) throws -> Frame? {
        var head = buffer
        guard
            let (magic, version, code, cluster, number, length) = head.readMultipleIntegers(
                as: (UInt16, UInt8, UInt8, UInt64, UInt64, UInt32).self)
        else { return nil }
        guard magic == Frame.magic else { throw LinkFault(.malformed, "its bytes are no frame") }
        guard version == Frame.version else {
            throw LinkFault(.malformed, "frame version \(version), not \(Frame.version)")
        }
        guard cluster == self.cluster else { throw LinkFault(.wrongCluster, "a frame of another cluster") }
        guard number == self.number + 1 else {
            throw LinkFault(.replayed, "frame \(number) where \(self.number + 1) comes next")
        }
        guard let kind = Frame.Kind(rawValue: code) else {
            throw LinkFault(.malformed, "frame kind \(code) is unknown")
        }
        guard length <= payloadBytesMax else {
            throw LinkFault(.oversized, "a frame of \(length) bytes, more than \(payloadBytesMax)")
        }
        guard let payload = head.readSlice(length: Int(length)) else { return nil }
        self.number = number
        buffer = head
        return Frame(kind: kind, payload: payload)
    }

    mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> Frame? {
        if let frame = try decode(buffer: &buffer) { return frame }
        if seenEOF, buffer.readableBytes > 0 {
            throw LinkFault(.truncated, "it ended \(buffer.readableBytes) bytes into a frame")
        }
        return nil
    }
}
