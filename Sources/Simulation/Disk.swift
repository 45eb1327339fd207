import OrderBook
import Replication

/// What is durable of a node: the tables that its sidecar writes, in short.
struct Disk: Sendable {
    struct Stored: Sendable {
        var item: LogItem
        var verdict: Verdict
        var isClosed = false
    }

    let names: [NodeName]
    var closed = ChainPoint(through: Timestamp(0), digest: .zero)
    var bound = Timestamp(0)
    var agreed = Timestamp(0)
    var admits = false
    /// By member and number - 1.
    var logs: [[Stored?]]
    var entered: [Command] = []
    var proposals: [[Proposal]]
    /// What was accepted and closed, in the order of execution.
    var history: [LogItem] = []
    private var closedIDs: Set<OrderID> = []

    init(names: [NodeName]) {
        self.names = names
        logs = Array(repeating: [], count: names.count)
        proposals = Array(repeating: [], count: names.count)
    }

    func index(_ name: NodeName) -> Int { names.firstIndex(of: name) ?? 0 }

    func index(ofOrigin origin: String) -> Int { names.firstIndex { $0.rawValue == origin } ?? 0 }

    // MARK: Writing

    /// - Returns: what became a duplicate.
    mutating func apply(_ writes: [Write]) throws(Fault) -> [LogRange] {
        var duplicates: [LogRange] = []
        for write in writes { try apply(write, &duplicates) }
        return duplicates
    }

    private mutating func apply(_ write: Write, _ duplicates: inout [LogRange]) throws(Fault) {
        switch write {
        case .number(let items):
            for judged in items {
                entered.removeAll { $0.id == judged.item.command.id }
                try put(judged, &duplicates)
            }
        case .store(let items): for judged in items { try put(judged, &duplicates) }
        case .refuse(let ranges, let verdict): for range in ranges { try refuse(range, verdict) }
        case .close(let point): try close(point)
        case .bound(let time): bound = time
        case .propose(let list, let from):
            let from = index(from)
            for proposal in list where !proposals[from].contains(where: { $0.command.id == proposal.command.id }) {
                proposals[from].append(proposal)
            }
        case .withdraw(let ids):
            for member in names.indices { proposals[member].removeAll { ids.contains($0.command.id) } }
        case .admit(let admits, _): self.admits = admits
        case .agreed(let time): agreed = time
        }
    }

    private mutating func put(_ judged: JudgedItem, _ duplicates: inout [LogRange]) throws(Fault) {
        let origin = index(ofOrigin: judged.item.command.origin)
        let place = Int(judged.item.number) - 1
        while logs[origin].count <= place { logs[origin].append(nil) }
        guard logs[origin][place] == nil else {
            throw Fault("command \(judged.item.number) of \(names[origin]) is stored twice")
        }
        var verdict = judged.verdict
        if verdict == .accepted {
            guard judged.item.stamp > closed.through else {
                throw Fault("\(judged.item.number) of \(names[origin]) is accepted into a closed pool")
            }
            if closedIDs.contains(judged.item.command.id) {
                verdict = .duplicate
                duplicates.append(
                    LogRange(origin: names[origin], numbers: judged.item.number...judged.item.number))
            }
        }
        logs[origin][place] = Stored(item: judged.item, verdict: verdict)
    }

    private mutating func refuse(_ range: LogRange, _ verdict: Verdict) throws(Fault) {
        let origin = index(range.origin)
        for number in range.numbers {
            guard let stored = logs[origin][Int(number) - 1], stored.verdict == .accepted, !stored.isClosed else {
                throw Fault("\(number) of \(range.origin) is refused, but does not wait")
            }
            logs[origin][Int(number) - 1]?.verdict = verdict
        }
    }

    private mutating func close(_ point: ChainPoint) throws(Fault) {
        guard point.through > closed.through else { throw Fault("closed.through fell to \(point.through.rawValue)") }
        var due: [LogItem] = []
        for origin in logs.indices {
            for place in logs[origin].indices.reversed() {
                guard let stored = logs[origin][place] else { continue }
                if stored.isClosed { break }
                guard stored.verdict == .accepted, stored.item.stamp <= point.through else { continue }
                logs[origin][place]?.isClosed = true
                due.append(stored.item)
            }
        }
        due.sort { Command.executesBefore($0.command, $1.command) }
        for item in due { closedIDs.insert(item.command.id) }
        history += due
        closed = point
    }

    // MARK: Reading

    var state: StoredState {
        var state = StoredState(closed: closed, bound: bound, agreed: agreed, entered: entered)
        for origin in names.indices where !logs[origin].isEmpty {
            var ranges: [ClosedRange<Int64>] = []
            for (place, stored) in logs[origin].enumerated() {
                guard let stored else { continue }
                let number = Int64(place) + 1
                if let last = ranges.last, last.upperBound == number - 1 {
                    ranges[ranges.count - 1] = last.lowerBound...number
                } else {
                    ranges.append(number...number)
                }
                if stored.verdict == .accepted, !stored.isClosed { state.waiting.append(stored.item) }
            }
            let last = logs[origin].last { $0 != nil } ?? nil
            state.logs.append(
                StoredState.Log(origin: names[origin], stored: ranges, lastStamp: last?.item.stamp))
        }
        for member in names.indices where !proposals[member].isEmpty {
            state.proposals[names[member]] = proposals[member]
        }
        return state
    }

    /// What there is of some ranges.
    func read(_ ranges: [LogRange], max: Int) -> (items: [JudgedItem], isComplete: Bool) {
        var items: [JudgedItem] = []
        for range in ranges {
            let log = logs[index(range.origin)]
            for number in range.numbers where number <= log.count {
                guard let stored = log[Int(number) - 1] else { continue }
                if items.count == max { return (items, false) }
                items.append(JudgedItem(stored.item, stored.verdict))
            }
        }
        return (items, true)
    }

    // MARK: Rebuilding

    /// Another node's state, with what only this one has: its unstamped commands, and those of its log that the other
    /// lacks, which are too late where their pools are closed.
    func rebuilt(from other: Disk, me: Int) -> Disk {
        var disk = other
        disk.bound = bound
        disk.admits = false
        disk.entered = entered
        disk.proposals = proposals
        for (place, stored) in logs[me].enumerated() {
            guard var stored else { continue }
            while disk.logs[me].count <= place { disk.logs[me].append(nil) }
            guard disk.logs[me][place] == nil else { continue }
            stored.isClosed = false
            if stored.verdict == .accepted, stored.item.stamp <= other.closed.through { stored.verdict = .late }
            if stored.verdict == .accepted, disk.closedIDs.contains(stored.item.command.id) {
                stored.verdict = .duplicate
            }
            disk.logs[me][place] = stored
        }
        return disk
    }
}

/// What must not be.
struct Fault: Error {
    var text: String
    init(_ text: String) { self.text = text }
}
