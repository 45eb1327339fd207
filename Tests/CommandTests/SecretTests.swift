import Foundation
import Postgres
import TestSupport
import Testing

/// The real program, as talkative as it can be: no password and no token stands in what it says.
@Suite struct SecretTests {
    private let password = "p4ss-\(UInt64.random(in: 0 ... .max))"
    private let token = "t0ken-\(UInt64.random(in: 0 ... .max))"
    private let gone = "g0ne-\(UInt64.random(in: 0 ... .max))"

    private func requireSilence(_ text: String, _ place: String) {
        for secret in [password, token, gone, "t0ken", "p4ss"] {
            #expect(!text.contains(secret), "\(place) shows \(secret): \(text.suffix(2_000))")
        }
    }

    @Test func `serve at level trace shows no password and no token, whatever is asked of it`() async throws {
        let database = try TestDatabase()
        try database.addMarket()
        let role = "secret_\(UInt32.random(in: 0 ... .max))"
        try database.connection().executeSimple("CREATE ROLE \(role) LOGIN PASSWORD '\(password)' IN ROLE pgbook_node")
        defer {
            _ = try? TestServer.connection().executeSimple("DROP ROLE \(role)")
        }
        let file = FileManager.default.temporaryDirectory.appending(path: "tokens-\(UUID())")
        try Data("\(token) ann\n\(gone) bob\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let url = try TestServer.url(database: database.name, login: role, password: password)
        let serve = try RunningProgram([
            "serve", "--port", "0", "--log-level", "trace", "--tokens", file.path, "--database", url,
        ])
        var port: UInt16?
        try await eventually("it listens") {
            port = serve.errors.firstMatch(of: /port=(\d+) \[pgbook\] listening/).flatMap { UInt16($0.1) }
            return port != nil || !serve.isRunning
        }
        guard let port else {
            Issue.record("it does not: \(serve.errors)")
            return
        }
        let arguments = try String(contentsOfFile: "/proc/\(serve.processID)/cmdline", encoding: .utf8)
        requireSilence(arguments, "the process's arguments")
        let order = #"{"security":"BTC-USD","side":"bid","amount":1,"price":90}"#
        for (word, path) in [(token, "/orders"), ("\(token)x", "/orders"), (token, "/orders?token=\(token)")] {
            let answer = ask(
                port,
                "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
                    + "Authorization: Bearer \(word)\r\nContent-Length: \(order.utf8.count)\r\n\r\n\(order)")
            #expect(answer.hasPrefix("HTTP/1.1 "), "\(answer)")
            requireSilence(answer, "an answer")
        }
        for line in ["Authorization: Bearer \(token)\r\nX \(token)", "\(token)", "Authorization: Basic \(token)"] {
            requireSilence(
                ask(port, "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\(line)\r\n\r\n"), "an answer")
        }
        // A line that is wrong, then one token less.
        try Data("\(token) ann\n\(gone)\n".utf8).write(to: file)
        try await eventually("it says that the file is wrong") { serve.errors.contains("line 2") }
        try Data("\(token) ann\n".utf8).write(to: file)
        try await eventually("it has read the file") { serve.errors.contains("the tokens were read again") }
        // The database goes away for a moment.
        try database.connection().execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role)
        serve.signal(SIGTERM)
        let result = try serve.result()
        requireSilence(result.output + result.errors, "the log of serve")
        #expect(result.errors.contains("trace") && result.errors.contains("debug"))
    }

    private static let malformed = [
        "postgresql://u:PASSWORD@localhost:port/db", "postgresql://u:PASSWORD@x@localhost/db",
        "postgresql://u:a/PASSWORD@localhost/db", "host=localhost password=PASSWORD extra PASSWORD",
        "postgresql://u:PASSWORD%zz@localhost/db", "mysql://u:PASSWORD@localhost/db",
        "postgresql://u:PASSWORD@127.0.0.1:1/db",
    ]

    @Test(arguments: malformed) func `no command shows the password of a database that it cannot use`(url: String)
        throws
    {
        let url = url.replacing("PASSWORD", with: password)
        let commands = [
            ["doctor"], ["serve", "--log-level", "trace"], ["migrate"], ["market", "list"], ["orders"], ["verify"],
            ["status"],
            ["query", "select 1"], ["sql", "--", "-c", "select 1"], ["candles", "X"], ["book", "X"], ["retention"],
            ["export", "trades", "X"], ["doctor", "--json"],
        ]
        for command in commands {
            let result = try Program.run(command, database: url)
            requireSilence(result.output + result.errors, command.joined(separator: " "))
            let given = try Program.run(
                command.prefix { $0 != "--" } + ["--database", url] + command.drop { $0 != "--" })
            requireSilence(given.output + given.errors, command.joined(separator: " "))
        }
    }

    @Test func `serve refuses a file of tokens without any, or with a line that is none, and shows no token`() throws {
        let database = try TestDatabase()
        for text in ["", "# \(token) ann\n", "\(token)\n", "\(token) ann\n\(token) bob\n", "\(token) a b c\n"] {
            let file = FileManager.default.temporaryDirectory.appending(path: "tokens-\(UUID())")
            try Data(text.utf8).write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            let result = try Program.run(
                ["serve", "--port", "0", "--log-level", "trace", "--tokens", file.path],
                database: try database.url(as: .node))
            #expect(result.status == 2 && result.errors.contains(file.path), "\(result)")
            requireSilence(result.output + result.errors, "serve")
        }
    }

    /// Sends bytes and reads until the other side closes.
}
