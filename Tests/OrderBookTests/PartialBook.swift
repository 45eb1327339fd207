import OrderBook
import TestRandom

/// A partial book over a table, driven as a matcher drives it: rows are loaded when they are needed, in small portions, and
/// the table learns of changes only at the end of a batch.
struct PartialBook {
    var book: OrderBook
    /// The rows as of the end of the last batch.
    private(set) var table: [RestingOrder] = []
    /// Owners of the orders placed by executed commands.
    private var log: [OrderID: UserID] = [:]
    private(set) var loads = 0

    init(limits: MarketLimits = .none) {
        book = OrderBook(state: MarketState(), completeness: .unloaded, limits: limits)
    }

    mutating func execute(_ command: Command, isLate: Bool, using generator: inout SeededGenerator) -> Outcome {
        loadNamed(by: command, using: &generator)
        while let side = book.shortage(for: command) {
            loadNext(side, count: Int.random(in: 1...4, using: &generator))
        }
        let outcome = book.execute(command, isLate: isLate)
        if case .place = command.action { log[command.id] = log[command.id] ?? command.user }
        return outcome
    }

    private mutating func loadNamed(by command: Command, using generator: inout SeededGenerator) {
        let clock = max(book.state.clock, command.time)
        var named = table.filter { $0.expires.map { $0 <= clock } ?? false }
        switch command.action {
        case .cancel(let target): named += rows(of: target)
        case .amend(let amend): named += rows(of: amend.target)
        case .cancelAll(let selection):
            named += table.filter { $0.user == selection.owner }
        case .place:
            // The log's key keeps duplicates out before they get here; the book knows them only if it is told.
            named += rows(of: command.id)
        case .halt, .resume, .expire: break
        }
        book.load(named: named.shuffled(using: &generator))
    }

    /// The row of an order; of one that is known and has none, the book learns who placed it.
    private mutating func rows(of target: OrderID) -> [RestingOrder] {
        let rows = table.filter { $0.id == target }
        if rows.isEmpty, let owner = log[target] { book.learn(closed: [(target, owner)]) }
        return rows
    }

    private mutating func loadNext(_ side: Side, count: Int) {
        loads += 1
        var rows = table.filter { $0.side == side }.sorted { Self.isBefore($0, $1) }
        if let horizon = book.horizon(of: side) {
            rows = rows.filter { row in
                row.price == horizon.price
                    ? row.priority > horizon.priority
                    : (side == .bid ? row.price < horizon.price : row.price > horizon.price)
            }
        }
        book.load(Array(rows.prefix(count)), side: side, reachesEnd: rows.count <= count)
    }

    private static func isBefore(_ a: RestingOrder, _ b: RestingOrder) -> Bool {
        if a.price != b.price { return a.side == .bid ? a.price > b.price : a.price < b.price }
        return a.priority < b.priority
    }

    /// Writes the changes to the table, and says where they do not fit it.
    mutating func endBatch() -> [String] {
        var faults: [String] = []
        let changes = book.takeChanges()
        for id in changes.deleted {
            if let index = table.firstIndex(where: { $0.id == id }) {
                table.remove(at: index)
            } else {
                faults.append("deletes \(id), which has no row")
            }
        }
        for row in changes.updated {
            guard let index = table.firstIndex(where: { $0.id == row.id }) else {
                faults.append("updates \(row.id), which has no row")
                continue
            }
            if table[index] == row { faults.append("updates \(row.id) to what it was") }
            table[index] = row
        }
        for row in changes.inserted {
            if table.contains(where: { $0.id == row.id }) { faults.append("inserts \(row.id) twice") }
            table.append(row)
        }
        if changes.inserted.map(\.priority) != changes.inserted.map(\.priority).sorted() {
            faults.append("inserts out of order")
        }
        return faults
    }

    /// Starts again from the table, as another matcher would.
    mutating func rebuild() {
        book = OrderBook(state: book.state, completeness: .unloaded, limits: book.limits)
    }
}
