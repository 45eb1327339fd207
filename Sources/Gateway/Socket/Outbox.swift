import NIOCore

/// What waits to be written to one client. A value: it decides what is kept and in which order it goes.
///
/// Of the books of one market only the newest waits: a slow client loses its oldest book updates. Everything else is kept
/// until it is written, or until there is so much of it that the client must be cut off.
struct Outbox {
    private enum Entry {
        case frame(ByteBuffer)
        /// The place of a market's book; the book itself may be replaced while it waits.
        case book(market: String)
    }

    let bytesMax: Int
    private var entries: CircularBuffer<Entry> = []
    private var books: [String: ByteBuffer] = [:]
    private(set) var byteCount = 0
    /// Book updates that a newer one replaced before they were written.
    private(set) var booksDropped = 0

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    var isEmpty: Bool { entries.isEmpty }

    /// Whether the client has fallen too far behind. Ask after writing what the channel takes: one burst may be large.
    var isOverfull: Bool { byteCount > bytesMax }

    mutating func push(_ frame: ByteBuffer) {
        entries.append(.frame(frame))
        byteCount += frame.readableBytes
    }

    mutating func pushBook(_ frame: ByteBuffer, market: String) {
        if let older = books.updateValue(frame, forKey: market) {
            byteCount -= older.readableBytes
            booksDropped += 1
        } else {
            entries.append(.book(market: market))
        }
        byteCount += frame.readableBytes
    }

    /// The next frame to write.
    mutating func pop() -> ByteBuffer? {
        while let entry = entries.popFirst() {
            let frame: ByteBuffer? =
                switch entry {
                case .frame(let frame): frame
                case .book(let market): books.removeValue(forKey: market)
                }
            guard let frame else { continue }
            byteCount -= frame.readableBytes
            return frame
        }
        return nil
    }
}
