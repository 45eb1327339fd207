import Foundation
import TestSupport
import Testing

/// The built `pgbook`, run as a process.
enum Program {
    struct Result {
        var status: Int32
        var output: String
        var errors: String

        var lines: [String] { output.split(separator: "\n").map { String($0) } }

        /// Standard output as JSON.
        func json<T>(as _: T.Type = T.self) throws -> T {
            let value = try JSONSerialization.jsonObject(with: Data(output.utf8), options: .fragmentsAllowed)
            return try #require(value as? T, "not a \(T.self): \(output)")
        }
    }

    /// It lies beside the test bundle.
    static let url = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "pgbook")

    /// Runs it to its end.
    /// - Parameters:
    ///   - database: as DATABASE_URL.
    ///   - input: standard input.
    static func run(
        _ arguments: [String], database: String? = nil, input: String = "", environment: [String: String] = [:]
    ) throws -> Result {
        let running = try RunningProgram(arguments, database: database, input: input, environment: environment)
        return try running.result()
    }
}

/// A `pgbook` that is running; ended when the test lets go of it.
final class RunningProgram {
    private let process = Process()
    private let ended = DispatchSemaphore(value: 0)
    private let folder: URL

    init(
        _ arguments: [String], database: String? = nil, input: String = "", environment: [String: String] = [:],
        terminal: FileHandle? = nil
    ) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgbook-test-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // Nothing of the environment in which the tests run: it may point at some database.
        var variables = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "", "HOME": folder.path, "TERM": "xterm",
        ]
        variables["DATABASE_URL"] = database
        process.environment = variables.merging(environment) { $1 }
        process.executableURL = Program.url
        process.arguments = arguments
        let files = [try file("input", Data(input.utf8)), try file("output", Data()), try file("errors", Data())]
        process.standardInput = terminal ?? files[0]
        process.standardOutput = terminal ?? files[1]
        process.standardError = files[2]
        process.terminationHandler = { [ended] _ in ended.signal() }
        try process.run()
        // The program has its own; a `Process` keeps these as long as it lives, which is longer than this does.
        for file in files { try file.close() }
    }

    deinit {
        if process.isRunning { signal(SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    /// Files instead of pipes: no output is too long for them.
    private func file(_ name: String, _ content: Data) throws -> FileHandle {
        let url = folder.appending(path: name)
        try content.write(to: url)
        return try FileHandle(forUpdating: url)
    }

    var output: String { (try? String(contentsOf: folder.appending(path: "output"), encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOf: folder.appending(path: "errors"), encoding: .utf8)) ?? "" }
    var isRunning: Bool { process.isRunning }
    var processID: Int32 { process.processIdentifier }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for its end.
    func result() throws -> Program.Result {
        guard ended.wait(timeout: .now() + 60) == .success else {
            throw TestFault("still running after 60 s: \(process.arguments ?? []); it said: \(output)\(errors)")
        }
        ended.signal()
        return Program.Result(status: process.terminationStatus, output: output, errors: errors)
    }
}

/// Runs a matcher beside the body, as a process, and requires that it ends in good order.
func withMatcher(_ database: TestDatabase, _ body: () async throws -> Void) async throws {
    let matcher = try RunningProgram(["serve", "--roles", "matcher"], database: database.url(as: .node))
    try await body()
    matcher.signal(SIGTERM)
    let result = try matcher.result()
    #expect(result.status == 0, "the matcher: \(result.errors)")
}
