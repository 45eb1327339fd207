import OrderBook
public import Postgres

// How a session meets locks that others hold. Whoever holds one may never let go, so no wait is without a bound.

extension Connection {
    /// From now on a statement of this session waits no longer than this for a lock; then it fails.
    public func limitLockWaits(_ wait: Duration) throws {
        try execute(SQL.limitLockWaits, String(max(1, wait.milliseconds)))
    }

    /// Whether an error says that another session held a lock for too long.
    public func isLockTimeout(_ error: any Error) -> Bool { (error as? PostgresError)?.isLockTimeout ?? false }

    /// Of these markets those that no other session holds at this moment.
    public func freeMarkets(_ markets: [MarketNumber]) throws -> Set<MarketNumber> {
        Set(
            try execute(SQL.freeMarkets, markets.map(\.rawValue)).map {
                MarketNumber(rawValue: try $0.decode(at: 0))
            })
    }

    /// Enters commands, though some use an id that another session has used and not committed. Those are refused as
    /// busy; the others are entered in their order, in as few transactions as that takes.
    /// - Parameter waitsMax: how many locks are waited for in vain; what has not been entered by then is refused as busy.
    public func enterAround(_ entries: [Entry], waitsMax: Int) throws -> [Admission] {
        var way = WayAround(waitsLeft: waitsMax)
        return try enterAround(entries[...], &way)
    }

    private func enterAround(_ entries: ArraySlice<Entry>, _ way: inout WayAround) throws -> [Admission] {
        // Whoever was met once is not waited for again: it is the same session, most likely.
        let isSuspect = entries.map { $0.clientOrderID != nil && way.suspects.contains($0.user) }
        let others = zip(entries, isSuspect).compactMap { $1 ? nil : $0 }
        var admissions = try enterOthers(others[...], &way)[...]
        return zip(entries, isSuspect).map { $1 ? .refused($0.busy) : admissions.removeFirst() }
    }

    private func enterOthers(_ entries: ArraySlice<Entry>, _ way: inout WayAround) throws -> [Admission] {
        do {
            return try enter(Array(entries))
        } catch let error as PostgresError where error.isInTheWay {
            way.waitsLeft -= 1
            guard entries.count == 1 || way.waitsLeft <= 0 else {
                let half = entries.startIndex + entries.count / 2
                return try enterAround(entries[..<half], &way) + enterAround(entries[half...], &way)
            }
            if entries.count == 1 {
                // Who was in the way may have committed just now.
                if !error.isLockTimeout, way.waitsLeft > 0 { return try enterOthers(entries, &way) }
                way.suspects.insert(entries[entries.startIndex].user)
            }
            return entries.map { .refused($0.busy) }
        }
    }
}

/// What is met on the way around other sessions' ids.
private struct WayAround {
    var waitsLeft: Int
    /// Users whose ids another session uses.
    var suspects: Set<UserID> = []
}

extension Entry {
    /// What its sender is told while another session holds what it needs.
    public var busy: Rejection {
        guard let clientOrderID else {
            return Rejection(
                code: .busy, message: "another session holds what this command needs; nothing was stored; try again")
        }
        return Rejection(
            code: .busy,
            message:
                "another session is using the client order id '\(clientOrderID)' and has not committed; nothing was stored; try again",
            field: "client_order_id")
    }

    /// What its sender is told while another session holds the market.
    public func busy(in symbol: String) -> Rejection {
        Rejection(
            code: .busy,
            message: "another session holds rows of market \(symbol); nothing was stored; try again", field: "security")
    }
}

extension PostgresError {
    /// A lock was not given in time.
    var isLockTimeout: Bool { kind == .server && sqlState == .lockNotAvailable }

    /// Another transaction has what this one needs, and has not ended; or ended while this one looked.
    var isInTheWay: Bool { isLockTimeout || (kind == .server && sqlState == .serializationFailure) }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}
