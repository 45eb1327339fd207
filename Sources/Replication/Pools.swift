import OrderBook

/// The commands that wait for their pools to close.
struct Pools: Sendable {
    struct Entry: Sendable {
        var number: Int64
        var command: Command
    }

    /// By member; each rising by number, hence by stamp.
    private var entries: [[Entry]]
    /// By member, how many of `entries` have been taken.
    private var heads: [Int]
    private(set) var count = 0
    /// How many waiting commands have an id.
    private var ids: [OrderID: Int] = [:]

    init(memberCount: Int) {
        entries = Array(repeating: [], count: memberCount)
        heads = Array(repeating: 0, count: memberCount)
    }

    var isEmpty: Bool { count == 0 }

    /// The earliest stamp that waits.
    var earliest: Timestamp? {
        guard count > 0 else { return nil }
        var earliest: Timestamp?
        for origin in entries.indices {
            guard let stamp = first(of: origin)?.command.time else { continue }
            earliest = earliest.map { min($0, stamp) } ?? stamp
        }
        return earliest
    }

    /// The latest stamp that waits.
    var latest: Timestamp? {
        guard count > 0 else { return nil }
        var latest: Timestamp?
        for origin in entries.indices where heads[origin] < entries[origin].count {
            let stamp = entries[origin][entries[origin].count - 1].command.time
            latest = latest.map { max($0, stamp) } ?? stamp
        }
        return latest
    }

    /// What waits of one origin.
    func waiting(of origin: Int) -> ArraySlice<Entry> { entries[origin][heads[origin]...] }

    mutating func insert(_ item: LogItem, of origin: Int) {
        let entry = Entry(number: item.number, command: item.command)
        var index = entries[origin].count
        while index > heads[origin], entries[origin][index - 1].number > item.number { index -= 1 }
        entries[origin].insert(entry, at: index)
        ids[item.command.id, default: 0] += 1
        count += 1
    }

    /// Takes out what shall not be executed after all.
    /// - Returns: whether it waited.
    @discardableResult
    mutating func remove(_ number: Int64, of origin: Int) -> Bool {
        var index = entries[origin].count
        while index > heads[origin], entries[origin][index - 1].number > number { index -= 1 }
        guard index > heads[origin], entries[origin][index - 1].number == number else { return false }
        forget(entries[origin].remove(at: index - 1).command.id)
        return true
    }

    /// Takes the next pool up to a time: all commands of one stamp, in the order of execution.
    mutating func takePool(through: Timestamp) -> [(origin: Int, entry: Entry)]? {
        guard let stamp = earliest, stamp <= through else { return nil }
        var pool: [(origin: Int, entry: Entry)] = []
        for origin in entries.indices {
            guard let entry = first(of: origin), entry.command.time == stamp else { continue }
            pool.append((origin, entry))
            dropFirst(of: origin)
        }
        if pool.count > 1 { pool.sort { Command.executesBefore($0.entry.command, $1.entry.command) } }
        return pool
    }

    /// Other commands that wait under an id.
    func others(with id: OrderID) -> [(origin: Int, number: Int64)] {
        guard ids[id] != nil else { return [] }
        return entries.indices.flatMap { origin in
            waiting(of: origin).filter { $0.command.id == id }.map { (origin, $0.number) }
        }
    }

    private func first(of origin: Int) -> Entry? {
        heads[origin] < entries[origin].count ? entries[origin][heads[origin]] : nil
    }

    private mutating func dropFirst(of origin: Int) {
        forget(entries[origin][heads[origin]].command.id)
        heads[origin] += 1
        guard heads[origin] > 32, heads[origin] * 2 > entries[origin].count else { return }
        entries[origin].removeFirst(heads[origin])
        heads[origin] = 0
    }

    private mutating func forget(_ id: OrderID) {
        count -= 1
        let left = ids[id, default: 1] - 1
        ids[id] = left > 0 ? left : nil
    }
}
