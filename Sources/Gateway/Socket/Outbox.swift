import NIOCore

/// What waits to be written to one client. A value: it decides what is kept and in which order it goes.
///
/// Of the books of one market only that one waits, and it is the newest when its turn comes: a slow client loses its
/// oldest book updates. Everything else is kept until it is written, or until the client must be cut off: because more
/// waits than may, and it took too little of it for too long. What the server has for it at once cuts off nobody who reads.
struct Outbox {
    enum Item {
        case frame(ByteBuffer)
        /// The newest book of a market, by its place in the shard.
        case book(Int)
        /// Made a frame when its turn comes: there may be thousands at once.
        case delivery(Delivery)
    }

    struct Bounds {
        /// More may wait only while the client reads.
        var bytesMax: Int
        /// More may not wait in any case.
        var bytesEverMax: Int
        /// In this time a client with too much waiting must take a quarter of `bytesMax`.
        var patience: TimeAmount
    }

    /// About what a delivery comes to as a frame.
    static let deliveryBytes = 256

    let bounds: Bounds
    private var items: CircularBuffer<Item> = []
    private var books: Set<Int> = []
    private(set) var byteCount = 0
    private var bytesTaken = 0
    /// Since when too much waits, and how much had been taken then.
    private var overfull: (since: NIODeadline, taken: Int)?
    /// Book updates that a newer one replaced before they were written.
    private(set) var booksDropped = 0

    init(bounds: Bounds) { self.bounds = bounds }

    var isEmpty: Bool { items.isEmpty }

    mutating func push(_ frame: ByteBuffer) { append(.frame(frame)) }

    mutating func push(_ delivery: Delivery) { append(.delivery(delivery)) }

    mutating func pushBook(market: Int) {
        if books.insert(market).inserted { items.append(.book(market)) } else { booksDropped += 1 }
    }

    /// No book waits any more.
    mutating func forgetBooks() { books.removeAll() }

    private mutating func append(_ item: Item) {
        items.append(item)
        byteCount += item.byteCount
    }

    /// The next to write.
    mutating func pop() -> Item? {
        while let item = items.popFirst() {
            if case .book(let market) = item, books.remove(market) == nil { continue }
            byteCount -= item.byteCount
            bytesTaken += item.byteCount
            return item
        }
        return nil
    }

    enum Judgement: Equatable {
        case fine
        /// Too much waits; look again then.
        case watch(until: NIODeadline)
        case cutOff
    }

    /// Whether the client has fallen too far behind. Ask after writing what the channel takes: one burst may be large.
    mutating func judge(now: NIODeadline) -> Judgement {
        guard byteCount > bounds.bytesMax else {
            overfull = nil
            return .fine
        }
        guard byteCount <= bounds.bytesEverMax else { return .cutOff }
        if let overfull {
            let end = overfull.since + bounds.patience
            if now < end { return .watch(until: end) }
            guard bytesTaken - overfull.taken >= bounds.bytesMax / 4 else { return .cutOff }
        }
        overfull = (now, bytesTaken)
        return .watch(until: now + bounds.patience)
    }
}

extension Outbox.Item {
    fileprivate var byteCount: Int {
        switch self {
        case .frame(let frame): frame.readableBytes
        // Whatever waits, each market's book is there once for all clients.
        case .book: 0
        case .delivery: Outbox.deliveryBytes
        }
    }
}
