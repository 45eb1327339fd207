import ArgumentParser
import Gossip
import History
import OrderBook
import Store

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how this node and its peers stand.",
        discussion: """
            What the sidecar wrote into the database, about a second ago: whether this node takes orders, up to when it
            has executed, the digest of everything until there, and of each peer its clock and what is missing. Of any
            database: whether its matcher executes, and what it had to set aside.

            Example:
              pgbook status
              pgbook status --json

            Exit codes: 0 it takes orders and executes them · 1 it does not
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let connection = try connection.connect(for: .reading)
        let matcher = Matching(
            notExecuting: try connection.noMatcher(), setAside: try connection.setAsideRecords(max: 20).map(\.summary))
        guard let record = try connection.clusterStatus() else {
            if output.json {
                print(JSON.object([("cluster", .null)] + matcher.json))
            } else {
                print("this database is no node of a cluster: it executes its orders alone")
                matcher.show()
            }
            if matcher.notExecuting != nil { throw Failure(.refused) }
            return
        }
        let status = try record.status.map { try SidecarStatus(json: $0) }
        if output.json {
            print(json(record, matcher))
        } else {
            show(record, status)
            matcher.show()
        }
        if !record.isReady || matcher.notExecuting != nil { throw Failure(.refused) }
    }

    /// What the matchers of the database say.
    private struct Matching {
        /// Why no order is executed, in one line; nil where orders are.
        var notExecuting: String?
        var setAside: [String]

        var json: [(String, JSON)] {
            [("not_executing", .text(notExecuting)), ("set_aside", .array(setAside.map { .string($0) }))]
        }

        func show() {
            let screen = Screen.standard
            if let notExecuting { print(screen.styled("  no order is executed: \(printable(notExecuting))", .ask)) }
            for line in setAside { print(screen.styled("  \(printable(line))", .warning)) }
        }
    }

    private func json(_ record: ClusterStatusRecord, _ matcher: Matching) -> JSON {
        JSON.object(
            [
                ("cluster", .string(record.clusterID)), ("node", .string(record.node)),
                ("ready", .bool(record.isReady)),
                ("reason", .text(record.reason)), ("heard_at", .time(record.heardAt)),
                ("silent", .bool(record.isSilent)),
                ("sidecar", .number(record.status ?? "null")),
            ] + matcher.json)
    }

    private func show(_ record: ClusterStatusRecord, _ status: SidecarStatus?) {
        let screen = Screen.standard
        let state = record.isReady ? screen.styled("takes orders", .bid) : screen.styled("takes no orders", .ask)
        print("\(printable(record.node)) of \(printable(record.clusterID)): \(state)")
        if let reason = record.reason { print("  \(printable(reason))") }
        guard let status else { return print("  its sidecar has not begun yet; start it: pgbook gossip") }
        if record.isSilent, let heard = record.heardAt {
            let then = "its sidecar was last heard of at \(heard.utc)"
            let orders = record.isReady ? "; orders wait until it runs: pgbook gossip" : ""
            print(screen.styled("  \(then), and what follows is of then\(orders)", .warning))
        }
        print(
            """
              executed through \(told(status.closedThrough)) · digest \(status.chain ?? "unknown") · \
            agreed through \(told(status.agreed))
              waiting \(status.waiting) · without a stamp \(status.entered) · unconfirmed \(status.unconfirmed) · \
            late \(status.late) · own commands \(status.lastNumber)
            """)
        var table = Table(
            ("peer", .left), ("state", .left), ("clock", .right), ("heard", .right), ("watermark", .left),
            ("missing", .right), ("lag", .right), ("late", .right))
        for peer in status.peers {
            table.add(
                printable(peer.name), peer.isConnected ? (peer.isLevel ? "level" : "behind") : "gone",
                peer.clockOffset.map { milliseconds($0) }, peer.silentFor.map { milliseconds($0) },
                told(peer.watermark), "\(peer.missing)", "\(peer.lag)", "\(peer.lateHere + peer.lateThere)",
                style: peer.isConnected ? (peer.isLevel ? .bid : .dim) : .ask)
        }
        printLines(table.lines(on: screen))
    }

    /// A time before all is none yet.
    private func told(_ time: Int64) -> String { time < 0 ? "never" : Timestamp(time).utc }

    private func milliseconds(_ microseconds: Int64) -> String {
        let tenths = (microseconds.magnitude + 50) / 100
        return "\(microseconds < 0 ? "-" : "")\(tenths / 10).\(tenths % 10) ms"
    }
}
