import Postgres
import Testing

@Suite struct NotificationTests {
    let listener: Connection
    let sender: Connection
    /// Tests run side by side in one database.
    let channel = "Channel \"\(UInt64.random(in: 0 ... .max))\""

    init() throws {
        listener = try TestServer.connect()
        sender = try TestServer.connect()
        try listener.listen(channel)
    }

    @Test func `a notification tells channel, payload and sender`() throws {
        try sender.execute("SELECT pg_notify($1, $2)", channel, "payload 1")
        let notification = try listener.waitForNotification(timeout: .seconds(30))
        #expect(
            notification
                == PostgresNotification(channel: channel, payload: "payload 1", serverProcessID: sender.serverProcessID)
        )
        #expect(listener.nextNotification() == nil)
    }

    @Test func `a transaction's notifications come after its commit, those rolled back never`() throws {
        try sender.transaction { sender in
            for n in 0..<3 { try sender.execute("SELECT pg_notify($1, $2)", channel, "\(n)") }
            #expect(try listener.waitForNotification(timeout: .zero) == nil)
        }
        _ = try? sender.transaction { sender in
            try sender.execute("SELECT pg_notify($1, 'never')", channel)
            try sender.execute("SELECT 1/0")
        }
        try sender.execute("SELECT pg_notify($1, 'last')", channel)
        let payloads = try (0..<4).map { _ in try listener.waitForNotification(timeout: .seconds(30))?.payload }
        #expect(payloads == ["0", "1", "2", "last"])
    }

    @Test func `what arrives during another statement is kept`() throws {
        try sender.execute("SELECT pg_notify($1, 'kept')", channel)
        try listener.execute("SELECT 1")
        #expect(listener.nextNotification()?.payload == "kept")
    }

    @Test func `a wait ends at its time and by a wake, which is never lost`() throws {
        #expect(try listener.waitForNotification(timeout: .milliseconds(1)) == nil)
        listener.interrupt.wake()
        #expect(try listener.waitForNotification(timeout: nil) == nil)
        try listener.unlisten(channel)
        try sender.execute("SELECT pg_notify($1, 'unheard')", channel)
        #expect(try listener.waitForNotification(timeout: .milliseconds(1)) == nil)
    }

    @Test func `a wait in a session ends when the session is woken or its task cancelled`() async throws {
        let session = Session(try TestServer.configuration())
        let waiting = Task { try await session.run { try $0.waitForNotification(timeout: nil) } }
        session.wake()
        #expect(try await waiting.value == nil)
        let cancelled = Task {
            try await session.run { connection in
                while !Task.isCancelled { _ = try connection.waitForNotification(timeout: nil) }
            }
        }
        cancelled.cancel()
        _ = await cancelled.result
        #expect(try await session.run { try $0.execute("SELECT 1").count } == 1)
    }

    @Test func `a wait on a connection that is killed throws`() throws {
        try sender.execute("SELECT pg_terminate_backend($1)", listener.serverProcessID)
        let error = #expect(throws: PostgresError.self) { try listener.waitForNotification(timeout: .seconds(30)) }
        #expect(error?.kind == .connectionLost)
        #expect(listener.isLost)
    }
}
