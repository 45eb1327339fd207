/// What will happen, by time; at one time in the order in which it was put in.
struct Agenda<Entry: Sendable>: Sendable {
    private struct Key: Sendable {
        var time: Int64
        var order: Int64
        var slot: Int32
    }

    private var heap: [Key] = []
    private var slots: [Entry?] = []
    private var free: [Int32] = []
    private var order: Int64 = 0

    var isEmpty: Bool { heap.isEmpty }

    mutating func add(_ entry: Entry, at time: Int64) {
        order += 1
        let slot: Int32
        if let reused = free.popLast() {
            slot = reused
            slots[Int(slot)] = entry
        } else {
            slot = Int32(slots.count)
            slots.append(entry)
        }
        heap.append(Key(time: time, order: order, slot: slot))
        rise(heap.count - 1)
    }

    mutating func next() -> (time: Int64, entry: Entry)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink(0)
        }
        defer {
            slots[Int(first.slot)] = nil
            free.append(first.slot)
        }
        guard let entry = slots[Int(first.slot)] else { return nil }
        return (first.time, entry)
    }

    private static func isBefore(_ a: Key, _ b: Key) -> Bool { a.time != b.time ? a.time < b.time : a.order < b.order }

    private mutating func rise(_ start: Int) {
        var index = start
        while index > 0, Self.isBefore(heap[index], heap[(index - 1) / 2]) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var index = start
        while true {
            var least = index
            let left = 2 * index + 1
            if left < heap.count, Self.isBefore(heap[left], heap[least]) { least = left }
            if left + 1 < heap.count, Self.isBefore(heap[left + 1], heap[least]) { least = left + 1 }
            guard least != index else { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}
