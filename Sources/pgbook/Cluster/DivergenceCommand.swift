import ArgumentParser
import History
import OrderBook
import Store

struct DivergenceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "divergence",
        abstract: "List the commands whose outcome changed when this node was rebuilt from its peers.",
        discussion: """
            A node that was cut off for longer than the window may have executed what the others did not. It takes their
            state then; whoever was told another outcome before stands in this list.

            Example:
              pgbook divergence
              pgbook divergence --json
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let changes = try connection.connect(for: .reading).divergences()
        if output.json { return print(JSON.array(changes.map(\.json))) }
        guard !changes.isEmpty else { return print("no outcome has changed") }
        var table = Table(
            ("noticed", .left), ("id", .left), ("security", .left), ("user", .left), ("before", .left),
            ("filled", .point), ("after", .left), ("filled", .point), ("from", .left))
        for change in changes {
            table.add(
                change.noticedAt.utc, change.id.description, printable(change.security),
                change.user.map { printable($0) }, change.codeBefore, change.filledBefore.map { "\($0)" },
                change.codeAfter, change.filledAfter.map { "\($0)" }, printable(change.rebuiltFrom))
        }
        printLines(table.lines(on: .standard))
    }
}

extension DivergenceRecord {
    fileprivate var json: JSON {
        JSON.object([
            ("id", .string(id.description)), ("security", .string(security)), ("user_id", .text(user)),
            ("client_order_id", .text(clientOrderID)), ("code_before", .string(codeBefore)),
            ("filled_before", .decimal(filledBefore)), ("code_after", .string(codeAfter)),
            ("filled_after", .decimal(filledAfter)), ("rebuilt_from", .string(rebuiltFrom)),
            ("noticed_at", .time(noticedAt)),
        ])
    }
}
