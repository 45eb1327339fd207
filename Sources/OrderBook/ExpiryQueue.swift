/// The gtd orders in the book, the next to expire first: a binary heap by (expires, id).
///
/// Every slot knows its position in the heap, so an order that leaves early leaves the heap as well, and a stream of
/// orders that are placed and cancelled does not grow it.
struct ExpiryQueue: Sendable {
    private struct Entry {
        var expires: Timestamp
        var id: OrderID
        var slot: Int32

        @inline(__always)
        static func < (a: Self, b: Self) -> Bool { a.expires == b.expires ? a.id < b.id : a.expires < b.expires }
    }

    private var heap: [Entry] = []

    /// The first order that has expired at a time, or nil.
    @inline(__always)
    func first(dueAt clock: Timestamp) -> Int32? {
        guard let first = heap.first, first.expires <= clock else { return nil }
        return first.slot
    }

    mutating func insert(_ slot: Int32, expires: Timestamp, _ pool: inout OrderPool) {
        heap.append(Entry(expires: expires, id: pool.slots[Int(slot)].id, slot: slot))
        rise(from: heap.count - 1, &pool)
    }

    mutating func remove(_ slot: Int32, _ pool: inout OrderPool) {
        let position = Int(pool.slots[Int(slot)].expiryPosition)
        pool.slots[Int(slot)].expiryPosition = none
        let last = heap.removeLast()
        guard position < heap.count else { return }
        heap[position] = last
        pool.slots[Int(last.slot)].expiryPosition = Int32(position)
        sink(from: position, &pool)
        rise(from: Int(pool.slots[Int(last.slot)].expiryPosition), &pool)
    }

    private mutating func rise(from start: Int, _ pool: inout OrderPool) {
        let entry = heap[start]
        var position = start
        while position > 0 {
            let parent = (position - 1) / 2
            guard entry < heap[parent] else { break }
            put(heap[parent], at: position, &pool)
            position = parent
        }
        put(entry, at: position, &pool)
    }

    private mutating func sink(from start: Int, _ pool: inout OrderPool) {
        let entry = heap[start]
        var position = start
        while true {
            var child = 2 * position + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard heap[child] < entry else { break }
            put(heap[child], at: position, &pool)
            position = child
        }
        put(entry, at: position, &pool)
    }

    private mutating func put(_ entry: Entry, at position: Int, _ pool: inout OrderPool) {
        heap[position] = entry
        pool.slots[Int(entry.slot)].expiryPosition = Int32(position)
    }
}
