import OrderBook

/// The commands that wait for their pools to close.
struct Pools: Sendable {
    struct Entry: Sendable {
        var number: Int64
        var command: Command
    }

    /// By member; stamps rise with numbers.
    private var entries: [Runs<Command>]
    private(set) var count = 0
    /// How many waiting commands have an id.
    private var ids: [OrderID: Int] = [:]

    init(memberCount: Int) {
        entries = Array(repeating: Runs(), count: memberCount)
    }

    var isEmpty: Bool { count == 0 }

    /// The earliest stamp that waits.
    var earliest: Timestamp? {
        guard count > 0 else { return nil }
        var earliest: Timestamp?
        for origin in entries.indices {
            guard let stamp = entries[origin].first?.value.time else { continue }
            earliest = earliest.map { min($0, stamp) } ?? stamp
        }
        return earliest
    }

    /// The latest stamp that waits.
    var latest: Timestamp? {
        guard count > 0 else { return nil }
        var latest: Timestamp?
        for origin in entries.indices {
            guard let stamp = entries[origin].last?.value.time else { continue }
            latest = latest.map { max($0, stamp) } ?? stamp
        }
        return latest
    }

    /// What waits of one origin.
    func waiting(of origin: Int) -> [Entry] {
        entries[origin].all.map { Entry(number: $0.number, command: $0.value) }
    }

    mutating func insert(_ item: LogItem, of origin: Int) {
        entries[origin].insert(item.number, item.command)
        ids[item.command.id, default: 0] += 1
        count += 1
    }

    /// Takes out what shall not be executed after all.
    /// - Returns: whether it waited.
    @discardableResult
    mutating func remove(_ number: Int64, of origin: Int) -> Bool {
        guard let command = entries[origin].remove(number) else { return false }
        forget(command.id)
        return true
    }

    /// Takes the next pool up to a time: all commands of one stamp, in the order of execution.
    mutating func takePool(through: Timestamp) -> [(origin: Int, entry: Entry)]? {
        guard let stamp = earliest, stamp <= through else { return nil }
        var pool: [(origin: Int, entry: Entry)] = []
        for origin in entries.indices {
            guard entries[origin].first?.value.time == stamp, let entry = entries[origin].popFirst() else { continue }
            forget(entry.value.id)
            pool.append((origin, Entry(number: entry.number, command: entry.value)))
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

    private mutating func forget(_ id: OrderID) {
        count -= 1
        let left = ids[id, default: 1] - 1
        ids[id] = left > 0 ? left : nil
    }
}
