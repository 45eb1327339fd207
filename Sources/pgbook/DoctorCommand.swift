import ArgumentParser
import Postgres
import Store

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Say what is connected, what is wrong, and how to mend it.",
        discussion: """
            Exit code 0 where nothing is wrong, 1 where something is, 3 where there is no connection.

            Example:
              pgbook doctor
              pgbook doctor --json
            """)

    @Option(help: "A command that waits longer than this has no matcher; larger than your window.")
    var patience = TimeSpan(.seconds(10))
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws { try patience.require("--patience", .zero ... .seconds(365 * 86_400)) }

    func run() throws {
        let connection = try Connection(connection.configuration().settled(for: .reading))
        let examination = try Examination(connection, patience: patience)
        if output.json {
            print(examination.json)
        } else {
            examination.show(on: .standard)
        }
        if examination.findings.contains(where: { $0.isFault }) { throw Failure(.refused) }
    }
}

/// What was found.
private struct Examination {
    struct Finding {
        /// Otherwise a remark.
        var isFault: Bool
        var message: String
    }

    private let diagnosis: Diagnosis
    private let sessions: SessionDiagnosis
    private let address: String
    private let schema: SchemaStatus
    private var waiting: [WaitingRecord] = []
    private var markets: [MarketRecord] = []
    private var cluster: ClusterState?
    private var matchers: [MatcherRecord] = []
    private var setAside: [SetAsideRecord] = []
    private(set) var findings: [Finding] = []

    init(_ connection: Connection, patience: TimeSpan) throws {
        diagnosis = try connection.diagnosis()
        sessions = try connection.sessionDiagnosis()
        schema = try Migrator(connection).status()
        address = "\(connection.host) port \(connection.port)"
        examineServer()
        examineSessions()
        examineSchema()
        if schema.isCurrent {
            for damage in try connection.schemaFaults() { fault(damage.line) }
        }
        guard schema.isCurrent, !diagnosis.memberships.isEmpty else { return }
        matchers = try connection.matcherRecords().filter(\.isConnected)
        setAside = try connection.setAsideRecords(max: 100)
        markets = try connection.marketRecords()
        waiting = try connection.waiting(stuckAfterSeconds: Int(patience.duration.components.seconds))
        for line in try connection.looseRights() { remark(line) }
        examineMatching(patience)
        // What a node says of itself is the node's own business.
        guard diagnosis.memberships.contains("pgbook_node") else { return }
        cluster = try connection.clusterState()
        if cluster != nil, let noted = try connection.movedSince() {
            fault(
                "this database is a copy of a cluster's node, which was elsewhere on \(noted.description); if the original still "
                    + "runs, one of them must go; if not, run once: pgbook gossip --moved")
        }
        if let reason = try connection.notReady() { fault("this node is not ready: \(reason)") }
    }

    private mutating func fault(_ message: String) { findings.append(Finding(isFault: true, message: message)) }
    private mutating func remark(_ message: String) { findings.append(Finding(isFault: false, message: message)) }

    private mutating func examineServer() {
        if let message = diagnosis.server.fault { fault(message) }
        if diagnosis.isStandby { fault("this server is a standby and takes no commands; connect to the primary") }
        if diagnosis.fsync == "off" {
            fault(
                "fsync is off: a crash of the machine can lose or destroy the book; set fsync = on in postgresql.conf")
        }
        if diagnosis.fullPageWrites == "off" {
            fault(
                "full_page_writes is off: a power cut can destroy pages; set full_page_writes = on in postgresql.conf")
        }
        if diagnosis.server.major != testedMajor {
            remark("pgbook is tested with PostgreSQL \(testedMajor); this one is \(diagnosis.server.major)")
        }
    }

    private mutating func examineSessions() {
        for message in sessions.faults { fault(message) }
        for setting in sessions.overridden {
            remark(
                "\(setting.name) is \(setting.value.isEmpty ? "empty" : setting.value) by "
                    + "\(setting.place ?? "the server's files or the connection's options"); pgbook's own sessions set it to "
                    + setting.ours)
        }
    }

    private var testedMajor: Int32 { 17 }

    private mutating func examineSchema() {
        for migration in schema.migrations where migration.state == .unknown || migration.state == .changed {
            fault(
                migration.state == .unknown
                    ? "the schema is newer than this pgbook (\(migration.name)); use the pgbook that migrated it"
                    : "migration \(migration.name) was changed after it was applied; use the pgbook that applied it")
        }
        if !schema.pending.isEmpty, !findings.contains(where: { $0.isFault && $0.message.hasPrefix("the schema") }) {
            fault("not applied: \(schema.pending.joined(separator: ", ")); run: pgbook migrate")
        } else if diagnosis.memberships.isEmpty {
            fault(
                "role \(diagnosis.role) may not use pgbook; grant it a role as superuser: "
                    + "GRANT pgbook_reader TO \"\(diagnosis.role)\" (or pgbook_trader, or pgbook_node)")
        }
    }

    private mutating func examineMatching(_ patience: TimeSpan) {
        if markets.isEmpty {
            remark("there are no markets yet; add one: pgbook market add BTC-USD --tick 0.5 --lot 0.001")
        }
        if !markets.isEmpty, matchers.isEmpty {
            remark("no matcher is connected; commands wait until one runs: pgbook serve")
        }
        let reasons = matchers.compactMap(\.reason)
        for reason in Set(reasons).sorted() {
            // Another one may do what this one cannot.
            let message = "a matcher is connected and executes nothing: \(reason)"
            if reasons.count == matchers.count { fault(message) } else { remark(message) }
        }
        for aside in setAside { fault(aside.summary) }
        for market in markets where market.state == "halted" {
            remark("market \(market.name) is halted; pgbook market resume \(market.name) lets it go on")
        }
        for market in waiting where market.isStuck {
            let remedy =
                matchers.isEmpty
                ? "no matcher executes them; start one: pgbook serve"
                : reasons.first ?? "a matcher is connected, but does not execute them; its log says why"
            fault(
                "\(market.commands) command\(market.commands == 1 ? "" : "s") of \(market.market) wait for longer than "
                    + "\(patience): \(remedy)")
        }
    }

    // MARK: showing

    private var facts: [(name: String, value: String)] {
        [
            ("server", "PostgreSQL \(diagnosis.server.version) at \(address)"),
            ("database", "\(diagnosis.database), \(diagnosis.databaseBytes / 1_048_576) MB"),
            ("role", diagnosis.role + (diagnosis.isSuperuser ? ", superuser" : "") + roles),
            ("timescaledb", diagnosis.timescale ?? "not installed in this database"),
            ("edition", diagnosis.timescaleLicense ?? "unknown"),
            ("encoding", sessions.encoding), ("pooler", sessions.pooler ?? "none"),
            ("fsync", diagnosis.fsync), ("synchronous_commit", diagnosis.synchronousCommit),
            ("full_page_writes", diagnosis.fullPageWrites), ("schema", schemaWord),
            ("markets", "\(markets.count)"), ("matchers", "\(matchers.count)"),
            ("set aside", setAside.isEmpty ? "nothing" : "\(setAside.count)"),
            (
                "cluster",
                cluster.map { "\($0.clusterID), node \($0.node) of \($0.members.joined(separator: ", "))" } ?? "none"
            ),
            (
                "waiting",
                waiting.isEmpty ? "nothing" : waiting.map { "\($0.market) \($0.commands)" }.joined(separator: ", ")
            ),
        ]
    }

    private var roles: String {
        diagnosis.memberships.isEmpty ? "" : " (\(diagnosis.memberships.joined(separator: ", ")))"
    }

    private var schemaWord: String {
        schema.isCurrent ? "up to date (\(Migrator.version))" : "\(schema.pending.count) not applied"
    }

    func show(on screen: Screen) {
        for (name, value) in facts { print(screen.styled(name.padded(to: 20), .dim) + printable(value)) }
        print("")
        for finding in findings {
            print(
                screen.styled(finding.isFault ? "wrong  " : "note   ", finding.isFault ? .ask : .warning)
                    + printable(finding.message))
        }
        if !findings.contains(where: { $0.isFault }) { print(screen.styled("all well", .bid)) }
    }

    var json: JSON {
        .object([
            ("server_version", .string(diagnosis.server.version)), ("address", .string(address)),
            ("database", .string(diagnosis.database)), ("database_bytes", .number(diagnosis.databaseBytes)),
            ("role", .string(diagnosis.role)), ("roles", .array(diagnosis.memberships.map { .string($0) })),
            ("timescaledb", .text(diagnosis.timescale)), ("timescaledb_license", .text(diagnosis.timescaleLicense)),
            ("fsync", .string(diagnosis.fsync)), ("synchronous_commit", .string(diagnosis.synchronousCommit)),
            ("full_page_writes", .string(diagnosis.fullPageWrites)),
            ("encoding", .string(sessions.encoding)), ("pooler", .text(sessions.pooler)),
            ("schema_is_current", .bool(schema.isCurrent)),
            ("pending_migrations", .array(schema.pending.map { .string($0) })),
            ("markets", .array(markets.map { .string($0.name) })), ("matchers", .number(matchers.count)),
            ("set_aside", .array(setAside.map { .string($0.summary) })),
            ("cluster", .text(cluster?.clusterID)), ("node", .text(cluster?.node)),
            (
                "waiting",
                .array(
                    waiting.map { market in
                        .object([
                            ("security", .string(market.market)), ("commands", .number(market.commands)),
                            ("oldest", .string(market.oldest.description)), ("is_stuck", .bool(market.isStuck)),
                        ])
                    })
            ),
            ("is_well", .bool(!findings.contains { $0.isFault })),
            ("faults", .array(findings.filter(\.isFault).map { .string($0.message) })),
            ("remarks", .array(findings.filter { !$0.isFault }.map { .string($0.message) })),
        ])
    }
}
