import OrderBook
import Store

extension DirectExchange {
    /// Nobody's command fails for another one's fault: a batch of several markets is run again market by market, and one
    /// with a command that cannot be executed is halved until that one stands alone.
    func divided(_ entries: [Entry], tag: Int, after failure: DirectFailure) -> ExecutedBatch {
        var parts: [[Int]]
        switch failure {
        case .cancelled, .unreachable: return ExecutedBatch(tag: tag, outcome: .failure(failure))
        case .locked: return ExecutedBatch(tag: tag, outcome: .failure(failure))
        case .conflict, .refused, .unfit:
            guard connection.isUsable else { return ExecutedBatch(tag: tag, outcome: .failure(failure)) }
        }
        do {
            // The one before is completed, whatever becomes of it.
            try? settle()
            parts = try byMarket(entries)
        } catch {
            return ExecutedBatch(tag: tag, outcome: .failure(DirectFailure(error)))
        }
        if parts.count == 1, case .unfit(let words) = failure {
            guard entries.count > 1 else { return refused(entries, tag, .unexecutable, words) }
            let middle = entries.count / 2
            parts = [Array(0..<middle), Array(middle..<entries.count)]
        }
        guard parts.count > 1 else { return failed(entries, tag, failure) }
        return ran(parts, of: entries, tag: tag)
    }

    private func ran(_ parts: [[Int]], of entries: [Entry], tag: Int) -> ExecutedBatch {
        var results: [ExecutedEntry?] = Array(repeating: nil, count: entries.count)
        var whole = ExecutedBatch(tag: tag, outcome: .failure(.conflict))
        let before = completed
        for part in parts {
            completed = []
            let some = part.map { entries[$0] }
            run(some, tag: tag, waits: true)
            guard let done = completed.last else { continue }
            switch done.outcome {
            case .success(let executed):
                for (position, entry) in zip(part, executed) { results[position] = entry }
                whole.moves += done.moves
            case .failure(.unreachable(let words)):
                completed = before
                whole.outcome = .failure(.unreachable(words))
                return whole
            case .failure(.cancelled):
                completed = before
                whole.outcome = .failure(.cancelled)
                return whole
            case .failure(let failure):
                let refusal = ExecutedEntry(notNow: "\(failure)")
                for position in part { results[position] = refusal }
            }
        }
        completed = before
        whole.outcome = .success(results.map { $0 ?? ExecutedEntry(notNow: "it was not tried") })
        return whole
    }

    /// All entries are about one market, and none of them is at fault.
    private func failed(_ entries: [Entry], _ tag: Int, _ failure: DirectFailure) -> ExecutedBatch {
        if let symbol = entries.lazy.compactMap(\.market).first, let number = marketNumber(of: symbol) {
            health?.failed(number, symbol, because: "\(failure)", on: .direct)
        }
        guard case .refused(let words) = failure else { return ExecutedBatch(tag: tag, outcome: .failure(failure)) }
        return ExecutedBatch(
            tag: tag, outcome: .success(entries.map { _ in ExecutedEntry(notNow: words) }))
    }

    private func refused(_ entries: [Entry], _ tag: Int, _ code: OutcomeCode, _ words: String) -> ExecutedBatch {
        let rejection = Rejection(code: code, message: "it cannot be executed and was not stored: \(words)", field: nil)
        return ExecutedBatch(
            tag: tag, outcome: .success(entries.map { _ in ExecutedEntry(admission: .refused(rejection)) }))
    }

    /// Positions of the entries about each market, in their order; those whose market is not known come last.
    private func byMarket(_ entries: [Entry]) throws -> [[Int]] {
        let targets = entries.filter { $0.market == nil }.compactMap(\.action.target)
        var places: [OrderID: MarketNumber] = [:]
        if !targets.isEmpty {
            for located in try connection.locate(targets) { places[located.id] = located.market }
        }
        for entry in entries {
            if let id = entry.id, let symbol = entry.market, let number = marketNumber(of: symbol) { places[id] = number }
        }
        var parts: [MarketNumber?: [Int]] = [:]
        for (position, entry) in entries.enumerated() {
            let number = entry.market.map { marketNumber(of: $0) } ?? entry.action.target.map { places[$0] } ?? nil
            parts[number, default: []].append(position)
        }
        return parts.sorted { ($0.key?.rawValue ?? .max) < ($1.key?.rawValue ?? .max) }.map(\.value)
    }

    private func marketNumber(of symbol: String) -> MarketNumber? {
        if markets.directory.isEmpty, let known = try? connection.versionedMarkets() { markets.learn(known) }
        return markets.number(of: symbol)
    }
}

extension ExecutedEntry {
    /// Nothing was stored, for no fault of the entry's.
    fileprivate init(notNow words: String) {
        self.init(
            admission: .refused(
                Rejection(
                    code: .notReady, message: "nothing can be executed now, and nothing was stored: \(words)", field: nil))
        )
    }
}
