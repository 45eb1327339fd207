import Synchronization

/// What the gateway counts, as Prometheus reads it.
final class GatewayMetrics: Sendable {
    private let commandsEntered = Atomic<Int>(0)
    private let commandsRefused = Atomic<Int>(0)
    private let batches = Atomic<Int>(0)
    private let booksPublished = Atomic<Int>(0)
    private let tradesPublished = Atomic<Int>(0)
    private let orderEvents = Atomic<Int>(0)
    private let socketsCutOff = Atomic<Int>(0)

    func batch(entered: Int, refused: Int) {
        batches.wrappingAdd(1, ordering: .relaxed)
        commandsEntered.wrappingAdd(entered, ordering: .relaxed)
        commandsRefused.wrappingAdd(refused, ordering: .relaxed)
    }

    func published(books: Int, trades: Int) {
        booksPublished.wrappingAdd(books, ordering: .relaxed)
        tradesPublished.wrappingAdd(trades, ordering: .relaxed)
    }

    func sentOrderEvents(_ count: Int) { orderEvents.wrappingAdd(count, ordering: .relaxed) }

    func cutOffSocket() { socketsCutOff.wrappingAdd(1, ordering: .relaxed) }

    func text(sockets: Int) -> String {
        let rows: [(name: String, kind: String, help: String, value: Int)] = [
            ("pgbook_sockets", "gauge", "WebSockets open now.", sockets),
            ("pgbook_commands_entered_total", "counter", "Commands stored.", commandsEntered.load(ordering: .relaxed)),
            ("pgbook_commands_refused_total", "counter", "Commands refused.", commandsRefused.load(ordering: .relaxed)),
            ("pgbook_command_batches_total", "counter", "Statements they took.", batches.load(ordering: .relaxed)),
            ("pgbook_books_published_total", "counter", "Books read.", booksPublished.load(ordering: .relaxed)),
            ("pgbook_trades_published_total", "counter", "Trades read.", tradesPublished.load(ordering: .relaxed)),
            ("pgbook_order_events_total", "counter", "Events of own orders.", orderEvents.load(ordering: .relaxed)),
            ("pgbook_sockets_cut_off_total", "counter", "Clients too slow.", socketsCutOff.load(ordering: .relaxed)),
        ]
        return rows.map { row in
            "# HELP \(row.name) \(row.help)\n# TYPE \(row.name) \(row.kind)\n\(row.name) \(row.value)\n"
        }.joined()
    }
}
