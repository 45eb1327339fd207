import ArgumentParser
import Postgres
import Store

struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the database's schema up to this pgbook's.",
        discussion: """
            Forward only, safe to run again and by several at once. It takes from every role of the server what lets one stop
            the others: temporary tables, advisory locks, large objects. A role that needs them gets them back by a grant.

            Example:
              pgbook migrate --database postgresql:///pgbook
              pgbook migrate --status
            """)

    @Flag(help: "Only show what is applied and what is not; exit code 1 if something is not.")
    var status = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        let connection = try Connection(connection.configuration().settled(for: status ? .reading : .migrating))
        let migrator = Migrator(connection)
        if status { return try show(migrator.status()) }
        let applied = try migrator.migrate {
            if !output.json { print("applied  \($0)") }
        } onWaiting: {
            complain($0)
        }
        if output.json {
            print(JSON.object([("applied", .array(applied.map { .string($0) }))]))
        } else if applied.isEmpty {
            print("database \"\(connection.database)\" is up to date (\(Migrator.version))")
        }
    }

    private func show(_ status: SchemaStatus) throws {
        if output.json {
            let migrations = status.migrations.map { migration in
                JSON.object([
                    ("name", .string(migration.name)), ("state", .string(migration.state.rawValue)),
                    ("applied_at", migration.appliedAt.map { .string($0.description) } ?? .null),
                ])
            }
            print(JSON.object([("is_current", .bool(status.isCurrent)), ("migrations", .array(migrations))]))
        } else {
            var table = Table(("migration", .left), ("state", .left), ("applied at", .left))
            for migration in status.migrations {
                table.add(
                    migration.name, migration.state.rawValue, migration.appliedAt?.description,
                    style: migration.state == .applied ? nil : .warning)
            }
            printLines(table.lines(on: .standard))
        }
        if !status.isCurrent { throw Failure(.refused) }
    }
}
