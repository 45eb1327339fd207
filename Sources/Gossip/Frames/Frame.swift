import NIOCore

/// One frame between nodes: 24 bytes of head, then the payload. Numbers are big-endian.
///
///     0  "pg"       2 bytes
///     2  version    1
///     3  kind       1
///     4  cluster    8: the head of the SHA-256 of the cluster's id
///     12 number     8: 1, 2, 3 … per connection and direction
///     20 length     4: of the payload
struct Frame {
    var kind: Kind
    var payload: ByteBuffer

    enum Kind: UInt8, Sendable {
        /// The first, once the other side's certificate was found good: eight bytes of credit.
        case open = 1
        case message = 2
        /// Eight bytes of more credit for messages.
        case credit = 3
        /// Nothing: the sender lives.
        case ping = 4
        /// The last: why the sender ends the connection, as text.
        case bye = 5
        case snapshot = 6
    }

    static let headBytes = 24
    static let version: UInt8 = 1
    static let magic: UInt16 = 0x7067

    /// What it takes of a receiver's memory, and so of the sender's credit.
    static func cost(_ payloadBytes: Int) -> Int { headBytes + payloadBytes }
}

/// Writes the heads of one connection's frames.
struct FrameWriter {
    let cluster: UInt64
    private var number: UInt64 = 0

    init(cluster: UInt64) { self.cluster = cluster }

    mutating func write(_ kind: Frame.Kind, _ payload: [UInt8], to buffer: inout ByteBuffer) {
        number += 1
        buffer.reserveCapacity(minimumWritableBytes: Frame.cost(payload.count))
        buffer.writeInteger(Frame.magic)
        buffer.writeInteger(Frame.version)
        buffer.writeInteger(kind.rawValue)
        buffer.writeInteger(cluster)
        buffer.writeInteger(number)
        buffer.writeInteger(UInt32(payload.count))
        buffer.writeBytes(payload)
    }
}
