import OrderBook
import Store

// The way around what another session holds: a market's rows, or an id that it has used and not committed. Only those
// who need the very same are told to try again; everybody else's commands go on.

extension DirectExchange {
    /// Forgets old locks, if there was none for long enough. Nothing is waited for longer than usual then.
    func relax() {
        guard locks.mayRelax(at: .now) else { return }
        try? settle()
        guard connection.isUsable, (try? connection.limitLockWaits(limits.lockWait)) != nil else { return }
        locks.relax()
    }

    /// Another session has used the id of an entry, and has not committed.
    func met(_ entry: Entry) {
        locks.met(entry, limits)
        locks.beWary(until: .now + limits.waryTime)
    }

    /// Executes a batch that met a lock in parts, so that none waits for another's lock, and waits for all of them.
    func goAround(_ entries: [Entry], tag: Int) -> ExecutedBatch {
        locks.isGoingAround = true
        defer { locks.isGoingAround = false }
        do {
            if !locks.isWary { try connection.limitLockWaits(limits.lockWaitWhenWary) }
            locks.beWary(until: .now + limits.waryTime)
            return try executeAround(entries, tag: tag)
        } catch {
            connection.rollBack()
            return ExecutedBatch(tag: tag, outcome: .failure(DirectFailure(error)))
        }
    }

    private func executeAround(_ entries: [Entry], tag: Int) throws -> ExecutedBatch {
        var parts = Parts(entries)
        let places = try marketsOf(entries)
        let touched = Set(places.compactMap(\.self))
        let waited = touched.filter { !locks.isHeld($0) }
        let free = try connection.freeMarkets(waited.sorted())
        for market in waited.subtracting(free) { miss(market) }

        let isLeft = { (market: MarketNumber?) in market.map { !self.locks.isHeld($0) } ?? true }
        for (position, market) in places.enumerated() where !isLeft(market) {
            parts.refuse(position, entries[position].busy(in: symbol(of: market)))
        }
        // Who was in the way a moment ago is tried alone, the others together.
        let doubtful = free.filter { locks.held[$0] != nil }
        let easy = entries.indices.filter { isLeft(places[$0]) && places[$0].map { !doubtful.contains($0) } ?? true }
        if case .failure(.locked) = try execute(easy, &parts, tag) {
            try executeApart(easy, by: places, &parts, tag)
        }
        for market in doubtful.sorted() {
            try tryAlone(market, entries.indices.filter { places[$0] == market }, &parts, tag)
        }
        return parts.executed(tag: tag)
    }

    /// Executes what several markets' commands are, market by market.
    private func executeApart(
        _ positions: [Int], by places: [MarketNumber?], _ parts: inout Parts, _ tag: Int
    ) throws {
        let groups = Dictionary(grouping: positions) { places[$0] }
        var missed = 0
        for (market, positions) in groups.sorted(by: { ($0.key?.rawValue ?? -1) < ($1.key?.rawValue ?? -1) }) {
            guard missed < limits.heldMarketsPerBatchMax else {
                for position in positions {
                    parts.refuse(position, parts.entries[position].busy(in: symbol(of: market)))
                }
                continue
            }
            if try !tryAlone(market, positions, &parts, tag) { missed += 1 }
        }
    }

    /// Executes the commands of one market.
    /// - Returns: false if another session holds what they need.
    @discardableResult
    private func tryAlone(
        _ market: MarketNumber?, _ positions: [Int], _ parts: inout Parts, _ tag: Int
    ) throws -> Bool {
        var failure: DirectFailure?
        if case .failure(let first) = try execute(positions, &parts, tag) { failure = first }
        if case .locked(let statement)? = failure, statement.hasSuffix("_commands") {
            // The ids of the log stand in the way, and it was not a user's own id.
            locks.suspectsIDs = true
            defer { locks.suspectsIDs = false }
            failure = nil
            if case .failure(let second) = try execute(positions, &parts, tag) { failure = second }
        }
        guard failure != nil else {
            if let market { locks.held[market] = nil }
            return true
        }
        if let market { miss(market) }
        for position in positions { parts.refuse(position, parts.entries[position].busy(in: symbol(of: market))) }
        return false
    }

    /// Executes some entries in a transaction of their own.
    /// - Returns: the failure, where a lock was not given.
    /// - Throws: every other failure.
    private func execute(
        _ positions: [Int], _ parts: inout Parts, _ tag: Int
    ) throws -> Result<Void, DirectFailure> {
        guard !positions.isEmpty else { return .success(()) }
        run(positions.map { parts.entries[$0] }, tag: tag, waits: true)
        let batch = completed.removeLast()
        switch batch.outcome {
        case .success(let results): parts.take(results, batch.moves, at: positions)
        case .failure(.locked(let statement)): return .failure(.locked(statement))
        case .failure(let failure): throw failure
        }
        return .success(())
    }

    private func miss(_ market: MarketNumber) {
        locks.missed(market, limits)
        health?.failed(market, symbol(of: market), because: "another session holds its rows", on: .direct)
    }

    private func symbol(of market: MarketNumber?) -> String {
        market.flatMap { markets.directory[$0]?.market.symbol } ?? "?"
    }

    /// The market of each entry, as far as it can be found.
    private func marketsOf(_ entries: [Entry]) throws -> [MarketNumber?] {
        var batch = DirectBatch(entries, tag: 0, DirectTransaction(connection), firstStamp: Timestamp(0))
        try resolve(&batch)
        return entries.indices.map { batch.market(of: $0) }
    }
}

/// What became of the entries of a batch that is executed in parts.
private struct Parts {
    let entries: [Entry]
    private var results: [ExecutedEntry?]
    private var moves: [MarketMove] = []

    init(_ entries: [Entry]) {
        self.entries = entries
        results = Array(repeating: nil, count: entries.count)
    }

    mutating func take(_ executed: [ExecutedEntry], _ moves: [MarketMove], at positions: [Int]) {
        for (position, result) in zip(positions, executed) { results[position] = result }
        self.moves += moves
    }

    mutating func refuse(_ position: Int, _ rejection: Rejection) {
        results[position] = ExecutedEntry(admission: .refused(rejection))
    }

    func executed(tag: Int) -> ExecutedBatch {
        ExecutedBatch(
            tag: tag,
            outcome: .success(
                results.enumerated().map { position, result in
                    result ?? ExecutedEntry(admission: .refused(entries[position].busy))
                }), moves: moves)
    }
}
