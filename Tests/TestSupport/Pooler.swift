import Foundation
public import Postgres

/// A PgBouncer before the test server; ended when the test lets go of it.
public final class Pooler: Sendable {
    public enum Mode: String, Sendable { case transaction, session, statement }

    /// Where Debian and others put it.
    public static let program: String? = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private let process: Process
    private let folder: URL
    private let port: Int
    private let database: TestDatabase

    /// - Parameters:
    ///   - size: server sessions at most.
    ///   - preparedMax: 0 as before PgBouncer 1.21: statements prepared by one client are met by others.
    public init(_ database: TestDatabase, _ mode: Mode, size: Int = 3, preparedMax: Int = 200) throws {
        guard let program = Self.program else { throw TestFault("there is no pgbouncer") }
        self.database = database
        folder = URL(filePath: "/tmp/pgbook-pooler-\(UInt32.random(in: 0 ... .max))")
        port = Int.random(in: 33_000..<40_000)
        let server = try database.connection()
        let logins = [server.user] + TestServer.Login.allCases.map(\.rawValue)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let users = logins.map { "\"\($0)\" \"\"" }.joined(separator: "\n") + "\n"
        try Data(users.utf8).write(to: folder.appending(path: "users"))
        let configuration = """
            [databases]
            \(database.name) = host=\(server.host) port=\(server.port)
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            auth_type = trust
            auth_file = \(folder.path)/users
            pool_mode = \(mode.rawValue)
            default_pool_size = \(size)
            max_client_conn = 200
            \(try Self.tracksStatements(program) ? "max_prepared_statements = \(preparedMax)" : "")
            query_wait_timeout = 60

            """
        try Data(configuration.utf8).write(to: folder.appending(path: "pgbouncer.ini"))
        process = Process()
        process.executableURL = URL(filePath: program)
        var arguments = ["\(folder.path)/pgbouncer.ini"]
        if geteuid() == 0 {
            // It refuses to run as root, and the server's socket is its user's alone.
            let owner = try FileManager.default.attributesOfItem(atPath: server.host)[.ownerAccountName] as? String
            arguments = ["-u", owner ?? "postgres"] + arguments
        }
        process.arguments = arguments
        try Data().write(to: folder.appending(path: "log"))
        let log = try FileHandle(forUpdating: folder.appending(path: "log"))
        process.standardOutput = log
        process.standardError = log
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try waitUntilItAnswers()
    }

    deinit {
        // Signals are blocked in what Foundation starts from its own threads.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Since 1.21 it gives each client's prepared statements names of its own.
    private static func tracksStatements(_ program: String) throws -> Bool {
        guard let version = try run(program, ["--version"]).firstMatch(of: /PgBouncer (\d+)\.(\d+)/) else { return false }
        return (Int(version.1) ?? 0, Int(version.2) ?? 0) >= (1, 21)
    }

    private func waitUntilItAnswers() throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            do {
                _ = try connection()
                return
            } catch {
                guard ContinuousClock.now < deadline, process.isRunning else {
                    let log = try String(contentsOf: folder.appending(path: "log"), encoding: .utf8)
                    throw TestFault("pgbouncer does not answer: \(error); its log: \(log)")
                }
                usleep(10_000)
            }
        }
    }

    public func url(as login: TestServer.Login? = nil) throws -> String {
        let user = try login?.rawValue ?? database.connection().user
        return "host=127.0.0.1 port=\(port) user=\(user) dbname=\(database.name)"
    }

    /// A connection as some other program would make it.
    public func connection(as login: TestServer.Login? = nil) throws -> Connection {
        try Connection(ConnectionConfiguration(url(as: login), applicationName: "a stranger"))
    }
}
