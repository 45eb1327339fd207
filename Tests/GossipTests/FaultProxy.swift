import Foundation
import TestSupport

/// `scripts/lib/fault_proxy.py`, running.
final class FaultProxy {
    private let process = Process()
    private let commands = Pipe()
    private let answers = Pipe()
    private var unread = Data()

    init() throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "scripts/lib/fault_proxy.py")
        let python = ProcessInfo.processInfo.environment["PGBOOK_TEST_PYTHON"] ?? "/usr/bin/env"
        process.executableURL = URL(filePath: python)
        process.arguments = (python == "/usr/bin/env" ? ["python3"] : []) + [script.path]
        process.standardInput = commands
        process.standardOutput = answers
        try process.run()
    }

    deinit { process.terminate() }

    /// - Returns: the port to dial instead of the target's.
    func add(_ route: String, to port: Int) throws -> Int {
        let answer = try run(["do": "add", "route": route, "to": "127.0.0.1:\(port)"])
        let port = (answer["listen"] as? String)?.split(separator: ":").last.flatMap { Int($0) }
        guard let port else { throw TestFault("no port: \(answer)") }
        return port
    }

    @discardableResult func run(_ command: [String: Any]) throws -> [String: Any] {
        let line = try JSONSerialization.data(withJSONObject: command)
        try commands.fileHandleForWriting.write(contentsOf: line + Data("\n".utf8))
        let answer = try JSONSerialization.jsonObject(with: try readLine()) as? [String: Any]
        guard let answer, answer["ok"] as? Bool == true else { throw TestFault("\(command): \(answer ?? [:])") }
        return answer
    }

    private func readLine() throws -> Data {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                defer { unread = Data(unread[(end + 1)...]) }
                return Data(unread[..<end])
            }
            let more = answers.fileHandleForReading.availableData
            guard !more.isEmpty else { throw TestFault("the proxy has ended") }
            unread += more
        }
    }
}
