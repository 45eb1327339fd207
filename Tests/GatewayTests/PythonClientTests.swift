import Foundation
import Gateway
import TestSupport
import Testing

extension GatewaySuites {
    @Suite struct PythonClientTests {
        @Test func `a client that is not ours sees what the documents say`() async throws {
            guard let python = ProcessInfo.processInfo.environment["PGBOOK_TEST_PYTHON"] else {
                print("left out 1 case: PGBOOK_TEST_PYTHON names no Python with the package websockets")
                return
            }
            try await RunningGateway.run { gateway in
                let script = SharedData.repository.appending(path: "Tests/GatewayTests/two_clients.py").path
                let (code, output) = try await run(python, [script, "ws://127.0.0.1:\(gateway.port)/ws", "BTC-USD"])
                print(output)
                #expect(code == 0, "\(output)")
            }
        }

        private func run(_ program: String, _ arguments: [String]) async throws -> (code: Int32, output: String) {
            let process = Process()
            process.executableURL = URL(filePath: program)
            process.arguments = arguments
            let pipe = Pipe()
            process.standardOutput = pipe
            process.standardError = pipe
            let code = try await withCheckedThrowingContinuation {
                (continuation: CheckedContinuation<Int32, any Error>) in
                process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
                do { try process.run() } catch { continuation.resume(throwing: error) }
            }
            let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
            return (code, String(decoding: output, as: UTF8.self))
        }
    }
}
