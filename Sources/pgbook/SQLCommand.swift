import ArgumentParser
import Glibc
import Postgres

struct SQLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sql", abstract: "Open psql on the database, with pgbook's schema on the path.",
        discussion: """
            Then select * from trades works without a prefix. What follows -- goes to psql. psql is looked for in
            PATH, then in the private PostgreSQL that scripts/postgres installs (PGBOOK_POSTGRES_ROOT names it).

            Example:
              pgbook sql
              pgbook sql -- --csv -c "select * from vwap('BTC-USD', by => '1h')"
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(parsing: .postTerminator, help: "What goes to psql.")
    var arguments: [String] = []

    func run() throws {
        guard let psql = findProgram("psql") else {
            throw Failure(
                .unavailable,
                "psql was not found; install it (postgresql-client), or set PATH or PGBOOK_POSTGRES_ROOT to where it is"
            )
        }
        // libpq gives what the connection string says itself the last word.
        let given = environment("PGOPTIONS").map { $0 + " " } ?? ""
        setenv("PGOPTIONS", given + "-c search_path=pgbook,public", 1)
        let (connectionString, password) = try connection.configuration().withPasswordApart()
        if let password { setenv("PGPASSWORD", password, 1) }
        let target = connectionString.map { ["--dbname", $0] } ?? []
        flushOutput()
        let words = ([psql] + target + arguments).map { strdup($0) } + [nil]
        execv(psql, words)
        throw Failure(.unexpected, "\(psql) cannot be started: \(String(cString: strerror(errno)))")
    }
}

/// A program of PostgreSQL: in PATH, or in the private root that `scripts/postgres` installs.
func findProgram(_ name: String) -> String? {
    var folders = (environment("PATH") ?? "").split(separator: ":").map { String($0) }
    if let root = environment("PGBOOK_POSTGRES_ROOT") {
        folders += programFolders(below: root)
    } else {
        let state =
            environment("PGBOOK_STATE")
            ?? (geteuid() == 0 ? "/var/lib/pgbook" : (environment("HOME") ?? "") + "/.local/state/pgbook")
        folders += entries(of: state).filter { $0.hasPrefix("postgres-") }.sorted().reversed()
            .flatMap { programFolders(below: "\(state)/\($0)") }
    }
    return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
}

/// Where Debian's packages have PostgreSQL's programs, newest version first.
private func programFolders(below root: String) -> [String] {
    let versions = entries(of: "\(root)/usr/lib/postgresql").compactMap { Int($0) }.sorted(by: >)
    return versions.map { "\(root)/usr/lib/postgresql/\($0)/bin" } + ["\(root)/bin"]
}

private func entries(of folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        names.append(
            withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names
}

private func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}
