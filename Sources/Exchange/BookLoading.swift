import OrderBook
import Store

extension OrderBook {
    /// Loads the next rows of a side.
    mutating func loadBest(
        _ side: Side, _ transaction: MatchingTransaction, rowsMax: Int, locks: Bool = true
    ) throws {
        let more = try transaction.loadBest(side, beyond: horizon(of: side), rowsMax: rowsMax, locks: locks)
        load(more.rows, side: side, reachesEnd: more.reachesEnd)
    }

    /// Loads the orders that a cancel-all is about.
    ///
    /// No index finds the orders of a user, for every order would pay for it. So the first one loads the whole book, and
    /// the book in memory, which knows each user's orders, has all of them from then on: the next one costs what its
    /// user owns. Only a book that is too large for memory is searched each time.
    mutating func loadOwned(_ scope: CancelAll, _ transaction: MatchingTransaction, _ limits: ExchangeLimits) throws {
        for side in Side.allCases where scope.side ?? side == side {
            while !isComplete(side) {
                guard orderCount < limits.ordersInMemoryMax else {
                    return load(named: try transaction.loadOwned(scope))
                }
                try loadBest(side, transaction, rowsMax: limits.rowsLoadedMax, locks: false)
            }
        }
    }

    /// Whether nothing must be loaded for a cancel-all.
    func hasAll(of scope: CancelAll) -> Bool {
        Side.allCases.allSatisfy { scope.side ?? $0 != $0 || isComplete($0) }
    }
}
