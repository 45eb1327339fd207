import Foundation
import OrderBook
import TestRandom
import Testing

/// One suite for three books: the naive one, the complete one, and a partial one over a table.
private struct Trio {
    let seed: UInt64
    var naive = NaiveBook()
    var complete: OrderBook
    var partial: PartialBook
    var generator: SeededGenerator
    var amountsByOrder: [OrderID: AmountLots] = [:]
    var codes: Set<OutcomeCode> = []

    init(seed: UInt64) {
        self.seed = seed
        generator = SeededGenerator(seed: ~seed)
        // Every other market has limits that orders run into.
        let limits =
            seed.isMultiple(of: 2)
            ? MarketLimits.none : MarketLimits(amountMax: AmountLots(18), notionalMax: Notional(rawValue: 1_700))
        naive.limits = limits
        complete = OrderBook(state: MarketState(), completeness: .complete, limits: limits)
        partial = PartialBook(limits: limits)
    }

    /// What differs after this command; nil if nothing does.
    mutating func step(_ command: Command, isLate: Bool) -> String? {
        let expected = naive.execute(command, isLate: isLate)
        codes.insert(expected.code)
        let outcome = complete.execute(command, isLate: isLate)
        if outcome != expected { return "outcome \(outcome), expected \(expected)" }
        let partialOutcome = partial.execute(command, isLate: isLate, using: &generator)
        if partialOutcome != expected { return "partial outcome \(partialOutcome), expected \(expected)" }
        if case .place(let place) = command.action {
            let accounted = outcome.filled + outcome.remaining + outcome.dropped
            if accounted != place.amount { return "M3: \(outcome) does not account for \(place.amount)" }
        }
        return compareJournals() ?? compareBooks() ?? endBatch()
    }

    private mutating func compareJournals() -> String? {
        let expected = naive.journal
        naive.journal = Journal()
        let (seq, tradeID) = (naive.state.seq.rawValue, naive.state.tradeID.rawValue)
        let trades = expected.trades.map(\.id.rawValue)
        let gapless = Array((tradeID - Int64(trades.count) + 1)...max(tradeID, tradeID - Int64(trades.count) + 1))
        if expected.executions.map(\.seq.rawValue) != [seq] || (!trades.isEmpty && trades != gapless) {
            return "M4: seq \(seq), trades \(trades)"
        }
        for (name, journal) in [("complete", complete.takeJournal()), ("partial", partial.book.takeJournal())] {
            if journal.executions != expected.executions { return "\(name) executions \(journal.executions)" }
            if journal.trades != expected.trades {
                return "\(name) trades \(journal.trades), expected \(expected.trades)"
            }
            if journal.closed != expected.closed {
                return "\(name) closed \(journal.closed), expected \(expected.closed)"
            }
        }
        return nil
    }

    private func compareBooks() -> String? {
        if complete.state != naive.state || partial.book.state != naive.state { return "state" }
        let (bids, asks) = (naive.queue(.bid), naive.queue(.ask))
        if let bid = bids.first, let ask = asks.first, bid.price >= ask.price { return "M2: the book is crossed" }
        for (side, queue) in [(Side.bid, bids), (.ask, asks)] {
            if complete.orders(side) != queue { return "orders of \(side)" }
            if complete.bestPrice(side) != queue.first?.price { return "best \(side)" }
            if complete.levels(side) != levels(queue) { return "levels of \(side)" }
            let held = partial.book.orders(side)
            if held != queue.filter({ partial.book[$0.id] != nil }) { return "partial orders of \(side)" }
            if partial.book.levels(side) != levels(held) { return "partial levels of \(side)" }
            if partial.book.isComplete(side), held != queue { return "\(side) is complete and is not" }
            if let price = partial.book.bestPrice(side), price != queue.first?.price { return "partial best \(side)" }
        }
        return complete.orderCount == naive.orders.count ? nil : "count of orders"
    }

    private func levels(_ queue: [RestingOrder]) -> [Level] {
        var levels: [Level] = []
        for order in queue {
            if levels.last?.price != order.price { levels.append(Level(price: order.price, amount: 0, orders: 0)) }
            levels[levels.count - 1].amount += Int128(order.open.rawValue)
            levels[levels.count - 1].orders += 1
        }
        return levels
    }

    private mutating func endBatch() -> String? {
        guard Int.random(in: 0..<6, using: &generator) == 0 else { return nil }
        if let fault = partial.endBatch().first { return "changes: \(fault)" }
        let rows = partial.table.sorted { $0.id < $1.id }
        if rows != naive.orders.sorted(by: { $0.id < $1.id }) { return "the table differs from the book" }
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: partial.rebuild()
        case 1: partial.book.forgetClosed()
        default: break
        }
        return nil
    }
}

/// How many seeds are run: 40, or what `PGBOOK_SEEDS` says.
private let seedCount = ProcessInfo.processInfo.environment["PGBOOK_SEEDS"].flatMap(Int.init) ?? 40

@Test(arguments: 1...seedCount)
func `the fast book, complete or partial, does what the naive book does`(seed: Int) {
    var commands = RandomCommands(seed: UInt64(seed))
    var trio = Trio(seed: UInt64(seed))
    for number in 1...600 {
        let (command, isLate) = commands.next()
        if let difference = trio.step(command, isLate: isLate) {
            Issue.record("seed \(seed), command \(number), \(command.action): \(difference)")
            return
        }
    }
    #expect(trio.partial.loads > 0)
    #expect(trio.codes.contains(.tooLarge) == !seed.isMultiple(of: 2))
}
