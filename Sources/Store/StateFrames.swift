import OrderBook

/// The bytes of a node's state: frames of a kind, a length and that many bytes, all under one hash.
///
///     kind: u8, length: u32, big-endian, bytes
///     kind 0: the schema's checksum, a line feed, and the head as JSON
///     kind n: a block of whole rows of the nth table, as COPY gives them
///     kind 254: the end of a table: how many rows, u64
///     kind 255: the end: the SHA-256 of everything before
enum StateFrame {
    static let head: UInt8 = 0
    static let tableEnd: UInt8 = 254
    static let end: UInt8 = 255
    /// Bytes of one frame; a block is about 64 KB and holds one row at least.
    static let bytesMax = 16 << 20
}

/// Puts frames together.
struct StateFrameWriter {
    private var hash = SHA256()
    let send: ([UInt8]) throws -> Void

    init(_ send: @escaping ([UInt8]) throws -> Void) { self.send = send }

    mutating func write(_ kind: UInt8, _ bytes: [UInt8]) throws {
        var frame: [UInt8] = [kind]
        frame.reserveCapacity(bytes.count + 5)
        for shift in [24, 16, 8, 0] { frame.append(UInt8(truncatingIfNeeded: bytes.count >> shift)) }
        frame += bytes
        hash.update(frame)
        try send(frame)
    }

    mutating func writeTableEnd(rows: Int) throws {
        try write(StateFrame.tableEnd, (0..<8).map { UInt8(truncatingIfNeeded: rows >> (56 - 8 * $0)) })
    }

    mutating func finish() throws { try write(StateFrame.end, hash.finalize().bytes) }
}

/// Takes frames apart, however the bytes come in.
struct StateFrameReader {
    private var hash = SHA256()
    private var buffer: [UInt8] = []
    private var start = 0
    let next: () throws -> [UInt8]?

    init(_ next: @escaping () throws -> [UInt8]?) { self.next = next }

    /// The next frame. The last proves all that came before.
    mutating func read() throws -> (kind: UInt8, bytes: ArraySlice<UInt8>) {
        try fill(5)
        let header = buffer[start..<start + 5]
        let kind = buffer[start]
        let length = header.dropFirst().reduce(0) { $0 << 8 | Int($1) }
        guard length <= StateFrame.bytesMax else {
            throw StoreError(.mismatch, "a frame of \(length) bytes is too large")
        }
        try fill(5 + length)
        let frame = buffer[start..<start + 5 + length]
        start += 5 + length
        let bytes = frame.dropFirst(5)
        if kind == StateFrame.end {
            let wanted = hash.finalize()
            hash = SHA256()
            guard Digest(bytes: bytes) == wanted else {
                throw StoreError(.mismatch, "the state was damaged on its way: its hash is another")
            }
        } else {
            hash.update(frame)
        }
        return (kind, bytes)
    }

    private mutating func fill(_ count: Int) throws {
        if buffer.count - start >= count { return }
        buffer.removeFirst(start)
        start = 0
        while buffer.count < count {
            guard let more = try next() else { throw StoreError(.mismatch, "the state ended before its end") }
            buffer += more
        }
    }
}
