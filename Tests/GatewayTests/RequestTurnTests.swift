import Gateway
import NIOCore
import TestSupport
import Testing

/// Connections over HTTP take turns.
extension GatewaySuites {
    @Suite struct RequestTurnTests {
        private static let request = "GET /book?security=BTC-USD HTTP/1.1\r\nHost: localhost\r\n\r\n"

        private func answers(in bytes: ByteBuffer) -> Int {
            String(buffer: bytes).ranges(of: "HTTP/1.1 200").count
        }

        @Test func `one request is answered while many of others wait`() async throws {
            try await RunningGateway.run { gateway in
                let many = 2_000
                // On each loop there is one that asks for much.
                let flooding = [
                    try await RawConnection.connect(port: gateway.port),
                    try await RawConnection.connect(port: gateway.port),
                ]
                for connection in flooding {
                    try await connection.write(ByteBuffer(string: String(repeating: Self.request, count: many)))
                }
                for _ in 0..<4 {
                    let one = try await RawConnection.connect(port: gateway.port)
                    try await one.write(ByteBuffer(string: Self.request))
                    try await eventually("it is answered") { answers(in: one.take()) == 1 }
                    one.close()
                }
                var counts = flooding.map { answers(in: $0.take()) }
                #expect(counts.allSatisfy { $0 < many })
                try await eventually("all are answered") {
                    for index in counts.indices { counts[index] += answers(in: flooding[index].take()) }
                    return counts == [many, many]
                }
            }
        }

        @Test func `who says that it sends no more gets all of its answers`() async throws {
            try await RunningGateway.run { gateway in
                let connection = try await RawConnection.connect(port: gateway.port)
                try await connection.write(ByteBuffer(string: String(repeating: Self.request, count: 300)))
                try await connection.closeOutput()
                let bytes = ByteBuffer(bytes: try await connection.readToEnd())
                #expect(answers(in: bytes) == 300)
            }
        }
    }
}
