import Postgres
import Synchronization
import TestRandom
import Testing

@Suite struct SessionTests {
    @Test func `bodies never interleave and all are run`() async throws {
        let session = Session(try TestServer.configuration())
        try await session.run {
            try $0.executeSimple("CREATE TEMP TABLE counters (n bigint); INSERT INTO counters VALUES (0)")
        }
        try await withThrowingTaskGroup { group in
            for _ in 0..<100 {
                group.addTask {
                    try await session.run { connection in
                        try connection.transaction { connection in
                            let n = try connection.execute("SELECT n FROM counters")[0].decode(Int64.self, at: 0)
                            try connection.execute("UPDATE counters SET n = $1", n + 1)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await session.run { try $0.execute("SELECT n FROM counters")[0].decode(Int64.self, at: 0) } == 100)
    }

    @Test func `submitted bodies run in the order of the calls, and each is answered before the next`() async throws {
        let session = Session(try TestServer.configuration())
        let seen = Mutex<[String]>([])
        await withCheckedContinuation { continuation in
            for number in 1...3 {
                session.submit { connection in
                    seen.withLock { $0.append("run \(number)") }
                    if number == 2 { try connection.executeSimple("SELECT 1/0") }
                    return try connection.execute("SELECT $1::bigint", Int64(number))[0].decode(Int64.self, at: 0)
                } answer: { result in
                    seen.withLock { $0.append("answer \((try? result.get()) ?? -1)") }
                    if number == 3 { continuation.resume() }
                }
            }
        }
        #expect(
            seen.withLock { $0 } == ["run 1", "answer 1", "run 2", "answer -1", "run 3", "answer 3"])
    }

    @Test func `cancelling the task stops the statement`() async throws {
        let session = Session(try TestServer.configuration())
        let process = try await session.run { $0.serverProcessID }
        let task = Task { try await session.run { try $0.execute("SELECT pg_sleep(600)").count } }
        try await awaitStatement("SELECT pg_sleep(600)", of: process)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await session.run { $0.serverProcessID } == process)
    }

    @Test func `cancel from another thread fails the statement with 57014`() async throws {
        let session = Session(try TestServer.configuration())
        let (process, interrupt) = try await session.run { ($0.serverProcessID, $0.interrupt) }
        let task = Task { try await session.run { try $0.execute("SELECT pg_sleep(601)").count } }
        try await awaitStatement("SELECT pg_sleep(601)", of: process)
        interrupt.cancel()
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.sqlState == .queryCanceled)
        #expect(error?.kind == .server)
    }

    @Test func `a task cancelled before its turn does nothing`() async throws {
        let session = Session(try TestServer.configuration())
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await session.run { try $0.executeSimple("CREATE TEMP TABLE never (a int)") }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await session.run { try $0.execute("SELECT to_regclass('never')")[0].isNull(at: 0) })
    }

    @Test func `a killed server process is a lost connection, and the next run connects again`() async throws {
        let changes = Mutex<[String]>([])
        let session = Session(
            try TestServer.configuration(),
            onConnect: { try $0.executeSimple("CREATE TEMP TABLE mine (a int)") },
            onChange: { change in
                changes.withLock { changes in
                    switch change {
                    case .connected: changes.append("connected")
                    case .lost(let error): changes.append("lost \(error.kind)")
                    }
                }
            })
        let error = await #expect(throws: PostgresError.self) {
            try await session.run { connection in
                try TestServer.connect().execute("SELECT pg_terminate_backend($1)", connection.serverProcessID)
                while true { try connection.execute("SELECT 1") }
            }
        }
        #expect(error?.kind == .connectionLost)
        #expect(try await session.run { try $0.execute("SELECT * FROM mine").count } == 0)
        #expect(changes.withLock { $0 } == ["connected", "lost connection lost", "connected"])
    }

    @Test func `a connection that ended while idle is replaced unseen`() async throws {
        let session = Session(try TestServer.configuration())
        let process = try await session.run { $0.serverProcessID }
        let other = try TestServer.connect()
        try other.execute("SELECT pg_terminate_backend($1, 30000)", process)
        #expect(try await session.run { $0.serverProcessID } != process)
    }

    @Test func `a body that leaves a transaction open is told so and rolled back`() async throws {
        let session = Session(try TestServer.configuration())
        let error = await #expect(throws: PostgresError.self) {
            try await session.run { try $0.executeSimple("BEGIN; CREATE TEMP TABLE left_over (a int)") }
        }
        #expect(error?.kind == .usage)
        #expect(try await session.run { $0.transactionStatus } == .idle)
    }

    @Test func `connecting backs off, bounded and with jitter, until it is cancelled`() async throws {
        let session = Session(ConnectionConfiguration("host=/nonexistent port=1"))
        let waits = Mutex<[Duration]>([])
        let task = Task {
            try await session.connectWithBackoff(
                Backoff(first: .microseconds(100), most: .microseconds(400)), using: SeededGenerator(seed: 1)
            ) { error, wait in
                #expect(error.kind == .connectFailed)
                let count = waits.withLock { waits in
                    waits.append(wait)
                    return waits.count
                }
                if count == 6 { withUnsafeCurrentTask { $0?.cancel() } }
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        let seen = waits.withLock { $0 }
        #expect(seen.count == 6)
        for (wait, full) in zip(seen, [100, 200, 400, 400, 400, 400]) {
            #expect(wait >= .microseconds(full) / 2 && wait <= .microseconds(full))
        }
        #expect(Set(seen.dropFirst(2)).count > 1)
    }

    @Test func `connecting with backoff succeeds at once where it can`() async throws {
        let session = Session(try TestServer.configuration())
        try await session.connectWithBackoff()
        #expect(try await session.run { try $0.execute("SELECT 1").count } == 1)
    }

    private func awaitStatement(_ sql: String, of process: Int32) async throws {
        let observer = try TestServer.connect()
        let isRunning = "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND query = $2"
        while try observer.execute(isRunning, process, sql).isEmpty { await Task.yield() }
    }
}
