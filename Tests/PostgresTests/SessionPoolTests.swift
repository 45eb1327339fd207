import Postgres
import Synchronization
import Testing

@Suite struct SessionPoolTests {
    /// Keeps every session of a pool busy until its lock is let go.
    private final class Blocker {
        let key = Int64.random(in: 1 ... .max)
        private let holder: Connection

        init() throws {
            holder = try TestServer.connect()
            try holder.execute("SELECT pg_advisory_lock($1)", key)
        }

        func letGo() throws { try holder.execute("SELECT pg_advisory_unlock($1)", key) }

        static func block(_ pool: SessionPool, _ key: Int64) -> Task<Void, any Error> {
            Task { try await pool.run { _ = try $0.execute("SELECT pg_advisory_lock_shared($1)", key) } }
        }
    }

    private final class Served: Sendable {
        let order = Mutex<[Int]>([])
    }

    private func settle(_ pool: SessionPool, sessions: Int, waiters: Int) async {
        while pool.load != (sessions, waiters) { await Task.yield() }
    }

    @Test func `a pool makes no more sessions than its bound, queues up to its bound and refuses above`() async throws {
        let blocker = try Blocker()
        let pool = SessionPool(try TestServer.configuration(), sessionsMax: 2, waitersMax: 3)
        let blocked = (0..<5).map { _ in Blocker.block(pool, blocker.key) }
        await settle(pool, sessions: 2, waiters: 3)
        let error = await #expect(throws: PostgresError.self) { try await pool.run { _ in } }
        #expect(error?.kind == .busy)
        try blocker.letGo()
        for task in blocked { try await task.value }
        #expect(pool.load == (2, 0))
    }

    @Test func `waiting callers are served in their order`() async throws {
        let blocker = try Blocker()
        let pool = SessionPool(try TestServer.configuration(), sessionsMax: 1)
        let first = Blocker.block(pool, blocker.key)
        await settle(pool, sessions: 1, waiters: 0)
        let served = Served()
        var waiting: [Task<Void, any Error>] = []
        for n in 0..<10 {
            waiting.append(Task { try await pool.run { _ in served.order.withLock { $0.append(n) } } })
            await settle(pool, sessions: 1, waiters: n + 1)
        }
        try blocker.letGo()
        for task in waiting + [first] { try await task.value }
        #expect(served.order.withLock { $0 } == Array(0..<10))
    }

    @Test func `a waiting caller that is cancelled leaves the queue`() async throws {
        let blocker = try Blocker()
        let pool = SessionPool(try TestServer.configuration(), sessionsMax: 1, waitersMax: 1)
        let first = Blocker.block(pool, blocker.key)
        await settle(pool, sessions: 1, waiters: 0)
        let waiting = Task { try await pool.run { _ in } }
        await settle(pool, sessions: 1, waiters: 1)
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(pool.load == (1, 0))
        try blocker.letGo()
        try await first.value
    }
}
