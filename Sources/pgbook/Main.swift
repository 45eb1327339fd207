import ArgumentParser
import Glibc
import Store

@main enum Main {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        HiddenArguments.hide()
        let status = await run(arguments)
        exit(status.rawValue)
    }

    private static func run(_ arguments: [String]) async -> ExitStatus {
        let command: any ParsableCommand
        do {
            command = try PgBook.parseAsRoot(arguments)
        } catch {
            return report(parsing: error, arguments)
        }
        do {
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                var command = command
                try command.run()
            }
            return .ok
        } catch let help where PgBook.exitCode(for: help).isSuccess {
            return report(parsing: help, arguments)
        } catch {
            return report(Failure(error), asJSON: arguments.contains("--json"))
        }
    }

    /// Help and version go to standard output; what cannot be understood is one line on standard error.
    private static func report(parsing error: any Error, _ arguments: [String]) -> ExitStatus {
        guard !PgBook.exitCode(for: error).isSuccess else {
            print(PgBook.fullMessage(for: error))
            return .ok
        }
        var message = PgBook.message(for: error).split(separator: "\n").joined(separator: " ")
        if message.hasSuffix(".") { message.removeLast() }
        let names = PgBook.configuration.subcommands.map { $0._commandName }
        let word = arguments.first.flatMap { names.contains($0) ? " \($0)" : nil } ?? ""
        let guess = word.isEmpty ? arguments.first.flatMap { nearest(to: $0, in: names) } : nil
        let hint = guess.map { "did you mean '\($0)'?" } ?? "see: pgbook\(word) --help"
        return report(Failure(.usage, message + (message.hasSuffix("?") ? " " : "; ") + hint), asJSON: false)
    }

    private static func report(_ failure: Failure, asJSON: Bool) -> ExitStatus {
        if asJSON, let code = failure.code {
            var error: [(String, JSON)] = [("code", .string(code)), ("message", .string(failure.message ?? ""))]
            if let field = failure.field { error.append(("field", .string(field))) }
            print(JSON.object([("error", .object(error))]))
        }
        if let line = failure.line { complain(line) }
        return failure.status
    }
}

struct PgBook: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pgbook",
        abstract: "An order book that lives in PostgreSQL.",
        discussion: """
            Example:
              pgbook market add BTC-USD --tick 0.5 --lot 0.001
              pgbook place buy 0.25 BTC-USD --price 101.5
              pgbook book BTC-USD

            The database is the one of --database, else of DATABASE_URL, else of libpq's
            own PG* variables and service files. Orders need a matcher: pgbook serve.

            Exit codes:
              0    done
              1    refused, or a check found a fault
              2    not understood
              3    no connection, a database that does not fit, or a port in use
              4    the outcome was not known in time
              70   something unforeseen
              130  interrupted
            """,
        version: "0.1.0",
        subcommands: [
            ServeCommand.self, MigrateCommand.self, MarketCommand.self, PlaceCommand.self, AmendCommand.self,
            CancelCommand.self, CancelAllCommand.self, OrderCommand.self, OrdersCommand.self, BookCommand.self,
            TradesCommand.self, CandlesCommand.self, ExportCommand.self, ImportCommand.self, WatchCommand.self,
            ShellCommand.self,
            ReplayCommand.self, VerifyCommand.self, BustCommand.self, RetentionCommand.self, StatsCommand.self,
            QueryCommand.self, SQLCommand.self, ClusterCommand.self, GossipCommand.self, StatusCommand.self,
            DivergenceCommand.self, SimulateCommand.self, BenchCommand.self,
            DoctorCommand.self,
        ])
}
