import Foundation
public import Postgres

/// A PostgreSQL of one suite's own, durable unlike the one that all tests share: it may be crashed, set otherwise, and
/// knows nothing of pgbook. Removed when the test lets go of it.
public final class PrivateServer: Sendable {
    private let folder: String
    private let address: String
    private let hasOwnDisk: Bool

    /// Whether a server can be given a disk of its own. That takes a right that many users and containers do not have.
    public static let givesDisks: Bool = {
        let folder = "/tmp/pgbook-disk-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        guard (try? mount(folder, megabytes: 1)) != nil else { return false }
        return (try? run("/bin/umount", [folder])) != nil
    }()

    /// - Parameter diskMegabytes: the size of a disk that it has for itself.
    public init(diskMegabytes: Int? = nil) throws {
        // Short: a socket's path may have 107 bytes.
        folder = "/tmp/pgbook-server-\(UInt32.random(in: 0 ... .max))"
        hasOwnDisk = diskMegabytes != nil
        if let diskMegabytes { try Self.mount(folder, megabytes: diskMegabytes) }
        try Self.script(["start", "--dir", folder])
        let variables = try Self.script(["env", "--dir", folder])
        func variable(_ name: String) throws -> Substring {
            guard let found = variables.firstRange(of: "\(name)=") else { throw TestFault("no \(name): \(variables)") }
            return variables[found.upperBound...].prefix { !$0.isWhitespace }
        }
        address = "host=\(try variable("PGHOST")) port=\(try variable("PGPORT"))"
    }

    deinit {
        _ = try? Self.script(["remove", "--dir", folder])
        if hasOwnDisk {
            _ = try? run("/bin/umount", ["--lazy", folder])
            try? FileManager.default.removeItem(atPath: folder)
        }
    }

    private static func mount(_ folder: String, megabytes: Int) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try run("/bin/mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m,mode=0755", "tmpfs", folder])
    }

    /// Takes what is left of its own disk, or gives it back.
    public func fillDisk(_ fills: Bool) throws {
        precondition(hasOwnDisk)
        let filler = folder + "/filler"
        if fills {
            // Ends with a failure: no space is left.
            _ = try? run("/bin/dd", ["if=/dev/zero", "of=\(filler)", "bs=64k"])
        } else {
            try FileManager.default.removeItem(atPath: filler)
        }
    }

    /// As `keyword=value`, which every program of PostgreSQL and pgbook takes.
    public func url(database: String = "postgres", user: String = "pgbook") -> String {
        "\(address) user=\(user) dbname=\(database)"
    }

    public func connection(database: String = "postgres", user: String = "pgbook") throws -> Connection {
        try Connection(ConnectionConfiguration(url(database: database, user: user), applicationName: "pgbook tests"))
    }

    /// What a power cut leaves of it: nothing is written at the end.
    public func crash() throws { try Self.script(["stop", "--dir", folder, "-m", "immediate"]) }

    public func start() throws { try Self.script(["start", "--dir", folder]) }

    /// As its owner would.
    public func stop() throws { try Self.script(["stop", "--dir", folder, "-m", "fast"]) }

    /// Sets what no session can, and waits until new sessions see it.
    public func set(_ name: String, _ value: String) throws {
        let server = try connection()
        try server.executeSimple("ALTER SYSTEM SET \(name) = '\(value)'")
        try server.executeSimple("SELECT pg_reload_conf()")
        let deadline = ContinuousClock.now + .seconds(20)
        while try connection().execute("SELECT current_setting($1)", name).one().decode(String.self, at: 0) != value {
            guard ContinuousClock.now < deadline else { throw TestFault("\(name) did not become \(value)") }
        }
    }

    /// Makes an empty database.
    public func create(_ database: String) throws {
        try connection().executeSimple("CREATE DATABASE \(database) TEMPLATE template0")
    }

    @discardableResult
    private static func script(_ arguments: [String]) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        // The server must not keep what Foundation watches for the script's end.
        let closing = "for fd in /proc/self/fd/*; do fd=${fd##*/}; ((fd > 2)) && eval \"exec $fd>&-\"; done; exec \"$0\" \"$@\""
        return try run("/bin/bash", ["-c", closing, root.appending(path: "scripts/postgres").path] + arguments)
    }
}

/// Runs a program to its end and gives what it wrote; one that fails is a fault of the test.
@discardableResult
public func run(_ program: String, _ arguments: [String], environment: [String: String]? = nil) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    if let environment { process.environment = environment }
    // A file: a server that is started keeps the other end of a pipe open.
    let output = FileManager.default.temporaryDirectory.appending(path: "pgbook-run-\(UUID())")
    try Data().write(to: output)
    defer { try? FileManager.default.removeItem(at: output) }
    let handle = try FileHandle(forUpdating: output)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    try handle.close()
    process.waitUntilExit()
    let text = try String(contentsOf: output, encoding: .utf8)
    guard process.terminationStatus == 0 else {
        throw TestFault("\(program) \(arguments.joined(separator: " ")) ended with \(process.terminationStatus): \(text)")
    }
    return text
}
